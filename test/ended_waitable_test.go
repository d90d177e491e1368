package test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/waitable"
)

// waitingCalls has at least one row for each exported function that takes a
// context. What stands after a space tells the rows of one function apart.
var waitingCalls = append([]waitingCall{
	{"filemap.Await", awaitMapping},
	{"filemap.Await of bytes", awaitBytes},
	{"waitable.Mutex.Lock", lockMutex},
	{"waitable.Semaphore.Acquire", acquire(nil)},
	{"waitable.Semaphore.Acquire tracked", func(t *testing.T, ns *filemaptest.Namespace) waited {
		linuxOnly(t, "it has no tracked semaphores")
		return acquire(&waitable.SemaphoreOptions{Tracked: true})(t, ns)
	}},
	{"waitable.Event.Wait", waitForEvents(func(ctx context.Context, e []*waitable.Event) error {
		return e[0].Wait(ctx)
	})},
	{"waitable.Timer.Wait", waitForTimer},
	{"waitable.Any", waitForEvents(func(ctx context.Context, e []*waitable.Event) error {
		_, err := waitable.Any(ctx, e[1], e[0])
		return err
	})},
	{"waitable.Any of 70", waitForMany},
	{"waitable.Any of a name", anyName},
	{"waitable.All", waitForEvents(func(ctx context.Context, e []*waitable.Event) error {
		_, err := waitable.All(ctx, e[2], e[0])
		return err
	})},
	{"waitable.Chan", waitForEvents(func(ctx context.Context, e []*waitable.Event) error {
		return (<-waitable.Chan(ctx, e[0])).Err
	})},
	{"waitable.SignalAndWait", waitForEvents(func(ctx context.Context, e []*waitable.Event) error {
		_, err := waitable.SignalAndWait(ctx, func() error { return nil }, e[0])
		return err
	})},
}, waitingChannels...)

// waitForEvents waits for the first of three events; the last is always
// signaled.
func waitForEvents(
	wait func(context.Context, []*waitable.Event) error,
) func(*testing.T, *filemaptest.Namespace) waited {
	return func(t *testing.T, ns *filemaptest.Namespace) waited {
		events := make([]*waitable.Event, 3)
		for i := range events {
			e, err := waitable.CreateEvent("", &waitable.EventOptions{ManualReset: i == 2, Signaled: i == 2})
			succeed(t, "CreateEvent", err)
			closeLater(t, e)
			events[i] = e
		}
		return waited{
			wait:   func(ctx context.Context) error { return wait(ctx, events) },
			signal: events[0].Set,
		}
	}
}

func waitForMany(t *testing.T, _ *filemaptest.Namespace) waited {
	objects := make([]waitable.Object, 70)
	for i := range objects {
		e, err := waitable.CreateEvent("", nil)
		succeed(t, "CreateEvent", err)
		closeLater(t, e)
		objects[i] = e
	}
	return waited{
		wait: func(ctx context.Context) error {
			_, err := waitable.Any(ctx, objects...)
			return err
		},
		signal: objects[69].(*waitable.Event).Set,
	}
}

func waitForTimer(t *testing.T, _ *filemaptest.Namespace) waited {
	timer, err := waitable.CreateTimer("", nil)
	succeed(t, "CreateTimer", err)
	closeLater(t, timer)
	return waited{wait: timer.Wait, signal: func() error {
		err := timer.SetAfter(0, 0)
		time.Sleep(20 * time.Millisecond) // Windows signals it a moment later
		return err
	}}
}

func acquire(opts *waitable.SemaphoreOptions) func(*testing.T, *filemaptest.Namespace) waited {
	return func(t *testing.T, _ *filemaptest.Namespace) waited {
		s, err := waitable.CreateSemaphore("", 0, 1, opts)
		succeed(t, "CreateSemaphore", err)
		closeLater(t, s)
		return waited{wait: s.Acquire, signal: func() error {
			_, err := s.Release(1)
			return err
		}}
	}
}

func lockMutex(t *testing.T, ns *filemaptest.Namespace) waited {
	holder, err := waitable.CreateMutex(ns.Name("M"), nil)
	succeed(t, "CreateMutex", err)
	closeLater(t, holder)
	waiter, err := waitable.OpenMutex(ns.Name("M"))
	succeed(t, "OpenMutex", err)
	closeLater(t, waiter)
	var hold waitable.Hold
	lock := func() error {
		hold, err = holder.Lock(context.Background())
		return err
	}
	succeed(t, "Lock", lock())
	return waited{
		wait: func(ctx context.Context) error {
			got, err := waiter.Lock(ctx)
			if err == nil {
				err = got.Unlock()
			}
			return err
		},
		signal: func() error { return hold.Unlock() },
		rearm:  lock,
	}
}

func anyName(t *testing.T, ns *filemaptest.Namespace) waited {
	var e *waitable.Event
	return waited{
		wait: func(ctx context.Context) error {
			_, err := waitable.Any(ctx, waitable.Name(ns.Name("Later")))
			return err
		},
		signal: func() (err error) {
			e, err = waitable.CreateEvent(ns.Name("Later"), nil)
			return err
		},
		rearm: func() error { return e.Close() },
	}
}

// awaitBytes awaits the bytes of a file that has the name already.
func awaitBytes(t *testing.T, ns *filemaptest.Namespace) waited {
	linuxOnly(t, "its mappings have their size from the first")
	name := ns.Name("/Later")
	path, err := filemap.NativeName(name)
	succeed(t, "NativeName", err)
	succeed(t, "WriteFile", os.WriteFile(path, nil, 0o600))
	t.Cleanup(func() { succeed(t, "Unlink", filemap.Unlink(name)) })
	return waited{
		wait: func(ctx context.Context) error {
			got, err := filemap.Await(ctx, name, &filemap.OpenOptions{MinSize: 10})
			if err == nil {
				err = got.Close()
			}
			return err
		},
		signal: func() error { return os.Truncate(path, 10) },
		rearm:  func() error { return os.Truncate(path, 9) },
	}
}

func awaitMapping(t *testing.T, ns *filemaptest.Namespace) waited {
	var m *filemap.Mapping
	return waited{
		wait: func(ctx context.Context) error {
			got, err := filemap.Await(ctx, ns.Name("Later"), nil)
			if err == nil {
				err = got.Close()
			}
			return err
		},
		signal: func() (err error) {
			m, err = filemap.Create(ns.Name("Later"), 100, nil)
			return err
		},
		rearm: func() error { return m.Close() },
	}
}
