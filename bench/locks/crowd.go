package locks

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/filemap-go/filemap/bench/machine"
	"github.com/filemap-go/filemap/bench/measure"
	"github.com/filemap-go/filemap/waitable"
)

const (
	crowdRole = "crowd"
	crowdSize = 10_000
)

// runCrowd has many goroutines of one process wait, each for its own event.
func runCrowd(r *measure.Runner, results *measure.Report) error {
	if !r.Only.MatchString(crowdRole) {
		return nil
	}
	r.Progress.Show("%s: %d goroutines that wait", crowdRole, crowdSize)
	figures, err := measure.FiguresOf(crowdRole)
	results.Add(figures...)
	return err
}

func measureCrowd() ([]measure.Figure, error) {
	events := make([]*waitable.Event, crowdSize)
	for i := range events {
		var err error
		name := measure.UniqueName(fmt.Sprint("crowd", i))
		if events[i], err = waitable.CreateEvent(name, nil); err != nil {
			return nil, err
		}
		defer events[i].Close()
	}
	before := measure.Footprint()
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
	waiting := measure.Footprint()
	threads := machine.Threads()

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

	figures := []measure.Figure{
		{Name: fmt.Sprintf("threads, with %d goroutines waiting", crowdSize), Value: threads, Unit: ""},
		{Name: "Go heap of a waiting goroutine, its stack not counted",
			Value: (waiting.Heap - before.Heap) / crowdSize, Unit: "B"},
		{Name: fmt.Sprintf("all but a tenth of %d waits cancelled, in", crowdSize),
			Value: ended.Seconds() * 1e3, Unit: "ms"},
	}
	wakeUps := measure.Quantiles(fmt.Sprintf("wake-up of one of %d", crowdSize), sample, 0, 0)
	return append(figures, wakeUps...), nil
}
