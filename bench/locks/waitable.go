// Package locks measures mutexes, semaphores and events, beside other locks.
package locks

import (
	"context"
	"errors"
	"os/exec"
	"sync"

	"github.com/filemap-go/filemap/bench/measure"
	"github.com/filemap-go/filemap/waitable"
)

var background = context.Background()

// Run is about mutexes, semaphores and events: alone, between two
// processes, and with many that wait.
func Run(r *measure.Runner, results *measure.Report) error {
	c, err := startC()
	if errors.Is(err, exec.ErrNotFound) {
		results.Skip("locks in C: need gcc, on Linux")
		c = nil
	} else if err != nil {
		return err
	}
	err = errors.Join(
		runUncontended(r, results, c),
		runNames(r, results, c),
		runWakeup(r, results),
		runFight(r, results, c),
		runAbandon(r, results, c),
		runCrowd(r, results))
	if c != nil {
		err = errors.Join(err, c.stop())
	}
	return err
}

// runUncontended is about what needs nobody else.
func runUncontended(r *measure.Runner, results *measure.Report, c *cLocks) error {
	m, err := waitable.CreateMutex(measure.UniqueName("mutex"), nil)
	if err != nil {
		return err
	}
	defer m.Close()
	s, err := waitable.CreateSemaphore(measure.UniqueName("semaphore"), 1, 1, nil)
	if err != nil {
		return err
	}
	defer s.Close()
	e, err := waitable.CreateEvent(measure.UniqueName("event"), &waitable.EventOptions{Signaled: true})
	if err != nil {
		return err
	}
	defer e.Close()
	permits := make(chan struct{}, 1)
	signal := make(chan struct{}, 1)

	lock := measure.Contest{Name: "lock", Title: "lock and unlock what nobody else wants"}
	lock.Pair("Mutex", func(n int) error { return lockOurs(m, n) },
		"sync.Mutex", lockGo, measure.Goal{Measure: measure.Ratio, Most: 2})
	lock.Cases = append(lock.Cases, measure.Case{Name: "gofrs/flock", Lap: measure.Timed(lockFile)})
	lock.Rows = append(lock.Rows, measure.Row{Ours: "Mutex", Base: "gofrs/flock"})

	permit := measure.Contest{
		Name: "permit", Title: "acquire and release a permit that nobody else wants",
	}
	permit.Pair("Semaphore", func(n int) error { return acquireOurs(s, n) },
		"Go channel", func(n int) error {
			for range n {
				permits <- struct{}{}
				<-permits
			}
			return nil
		}, measure.Goal{Measure: measure.Ratio})

	set := measure.Contest{Name: "set", Title: "set an event that is signaled"}
	set.Pair("Event", func(n int) error { return setOurs(e, n) },
		"Go channel", func(n int) error {
			for range n {
				select {
				case signal <- struct{}{}:
				default:
				}
			}
			return nil
		}, measure.Goal{Measure: measure.Ratio})
	addC(&lock, c, "lock", "Mutex", robustMutex)
	addC(&permit, c, "lock", "Semaphore", posixSemaphore)
	for _, c := range []measure.Contest{lock, permit, set} {
		if err := results.Contest(r, c); err != nil {
			return err
		}
	}
	return nil
}

func lockOurs(m *waitable.Mutex, n int) error {
	for range n {
		hold, err := m.Lock(background)
		if err != nil {
			return err
		}
		if err := hold.Unlock(); err != nil {
			return err
		}
	}
	return nil
}

func lockGo(n int) error {
	var m sync.Mutex
	locks := 0
	for range n {
		m.Lock()
		locks++
		m.Unlock()
	}
	return nil
}

func acquireOurs(s *waitable.Semaphore, n int) error {
	for range n {
		if err := s.Acquire(background); err != nil {
			return err
		}
		if _, err := s.Release(1); err != nil {
			return err
		}
	}
	return nil
}

func setOurs(e *waitable.Event, n int) error {
	for range n {
		if err := e.Set(); err != nil {
			return err
		}
	}
	return nil
}
