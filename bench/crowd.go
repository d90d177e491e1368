package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/filemap-go/filemap/waitable"
)

const (
	crowdRole = "crowd"
	crowdSize = 10_000
)

// runCrowd has many goroutines of one process wait, each for its own event.
func runCrowd(r *runner, results *report) error {
	if !r.only.MatchString(crowdRole) {
		return nil
	}
	r.progress.show("%s: %d goroutines that wait", crowdRole, crowdSize)
	figures, err := figuresOf(crowdRole)
	results.Figures = append(results.Figures, figures...)
	return err
}

func measureCrowd() ([]figure, error) {
	events := make([]*waitable.Event, crowdSize)
	for i := range events {
		var err error
		if events[i], err = waitable.CreateEvent(uniqueName(fmt.Sprint("crowd", i)), nil); err != nil {
			return nil, err
		}
		defer events[i].Close()
	}
	before := footprint()
	woken := make(chan time.Time, 1)
	wait := func(ctx context.Context, all *sync.WaitGroup) {
		for _, e := range events {
			all.Go(func() {
				if e.Wait(ctx) == nil {
					woken <- time.Now()
				}
			})
		}
	}
	ctx, cancel := context.WithCancel(background)
	var all sync.WaitGroup
	wait(ctx, &all)
	time.Sleep(time.Second) // so that all of them sleep
	waiting := footprint()
	threads := threadCount()

	var sample []time.Duration
	for i := 0; i < crowdSize; i += 10 {
		start := time.Now()
		if err := events[i].Set(); err != nil {
			cancel()
			return nil, err
		}
		sample = append(sample, (<-woken).Sub(start))
	}
	start := time.Now()
	cancel()
	all.Wait()
	ended := time.Since(start)

	figures := []figure{
		{Name: fmt.Sprintf("threads, with %d goroutines waiting", crowdSize), Value: threads, Unit: ""},
		{Name: "Go heap of a waiting goroutine, its stack not counted",
			Value: (waiting.heap - before.heap) / crowdSize, Unit: "B"},
		{Name: fmt.Sprintf("all but a tenth of %d waits cancelled, in", crowdSize),
			Value: ended.Seconds() * 1e3, Unit: "ms"},
	}
	return append(figures, quantiles(fmt.Sprintf("wake-up of one of %d", crowdSize), sample, 0, 0)...), nil
}
