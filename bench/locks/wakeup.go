package locks

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/filemap-go/filemap/bench/measure"
	"github.com/filemap-go/filemap/waitable"
)

const (
	echoRole  = "echo"
	futexRole = "futex"

	wakeupName  = "wakeup"
	wakeupBatch = 200 // round trips of one kind before it is the other's turn

	// settle is how long the other process is left alone before each trip, so
	// that it is asleep for certain.
	settle = 200 * time.Microsecond
)

// trip is a way to wake another process that sleeps, and to be woken by it.
type trip struct {
	name   string
	there  func() error // and back
	stop   func() error
	sample []time.Duration
}

// runWakeup compares round trips between two processes that sleep.
func runWakeup(r *measure.Runner, results *measure.Report) error {
	if !r.Only.MatchString(wakeupName) {
		return nil
	}
	ours, err := startEcho()
	if err != nil {
		return err
	}
	trips := []*trip{ours}
	if futex, err := startFutex(); errors.Is(err, errors.ErrUnsupported) {
		results.Skip("raw futexes: Linux only")
	} else if err != nil {
		return errors.Join(err, ours.stop())
	} else {
		trips = append(trips, futex)
	}
	for round := range r.Rounds {
		r.Progress.Show("%s: round %d of %d", wakeupName, round+1, r.Rounds)
		for _, t := range trips {
			if err := t.run(wakeupBatch); err != nil {
				return err
			}
		}
	}
	for _, t := range trips {
		results.Add(measure.Quantiles("round trip by "+t.name, t.sample, 0, 0)...)
		err = errors.Join(err, t.stop())
	}
	if len(trips) == 2 {
		results.Add(measure.Figure{
			Name: "round trip by events / by raw futexes, p50", Unit: "x", Most: 1.25,
			Value: middle(trips[0].sample) / middle(trips[1].sample),
		})
	}
	return err
}

func middle(sample []time.Duration) float64 {
	var ns []float64
	for _, d := range sample {
		ns = append(ns, float64(d))
	}
	return measure.Median(ns)
}

func (t *trip) run(n int) error {
	for range n {
		time.Sleep(settle)
		start := time.Now()
		if err := t.there(); err != nil {
			return err
		}
		t.sample = append(t.sample, time.Since(start))
	}
	return nil
}

// startEcho starts a process that answers one event with another.
func startEcho() (*trip, error) {
	name := measure.UniqueName(echoRole)
	ping, pong, err := echoEvents(name)
	if err != nil {
		return nil, err
	}
	child, stop, err := startChild(echoRole, name)
	if err != nil {
		return nil, err
	}
	there := func() error { return errors.Join(ping.Set(), pong.Wait(background)) }
	return &trip{name: "events", there: there, stop: func() error {
		_ = child.Process.Kill()
		return errors.Join(stop(), ping.Close(), pong.Close())
	}}, nil
}

func echoEvents(name string) (ping, pong *waitable.Event, err error) {
	if ping, _, err = waitable.OpenOrCreateEvent(name+"-ping", nil); err != nil {
		return nil, nil, err
	}
	pong, _, err = waitable.OpenOrCreateEvent(name+"-pong", nil)
	return ping, pong, err
}

// echo is the other side.
func echo() error {
	go endWithParent()
	ping, pong, err := echoEvents(os.Getenv(measure.NameVariable))
	if err != nil {
		return err
	}
	for {
		if err := errors.Join(ping.Wait(background), pong.Set()); err != nil {
			return err
		}
	}
}

// startChild starts a child that goes on until it is killed. It ends, too, when
// this process does.
func startChild(role, name string) (child *exec.Cmd, stop func() error, err error) {
	if child, err = measure.InRole(role, name); err != nil {
		return nil, nil, err
	}
	stdin, err := child.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := child.Start(); err != nil {
		return nil, nil, err
	}
	return child, func() error {
		stdin.Close()
		_ = child.Wait() // it was killed
		return nil
	}, nil
}

// endWithParent ends this process when the one that started it is gone.
func endWithParent() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}
