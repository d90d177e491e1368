package waitable_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/internal/race"
	"github.com/filemap-go/filemap/waitable"
)

// TestNoAllocations is about what need not wait.
func TestNoAllocations(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("not for windows: the system's mutexes are locked on threads of their own")
	}
	ns := filemaptest.New(t)
	ctx := context.Background()
	m, s, e := mutex(t, ns.Name("m")), semaphore(t, ns.Name("s"), 1, 1), autoEvent(t, ns.Name("e"))
	hot := map[string]func() error{
		"Lock and Unlock": func() error {
			hold, err := m.Lock(ctx)
			if err != nil {
				return err
			}
			return hold.Unlock()
		},
		"Acquire and Release": func() error {
			if err := s.Acquire(ctx); err != nil {
				return err
			}
			_, err := s.Release(1)
			return err
		},
		"Set and Wait": func() error {
			if err := e.Set(); err != nil {
				return err
			}
			return e.Wait(ctx)
		},
	}
	for name, do := range hot {
		allocs := testing.AllocsPerRun(1000, func() { succeed(t, name, do()) })
		if allocs != 0 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}

// TestSleepingDoesNotAllocate is about waits that do wait: two goroutines wake
// each other.
func TestSleepingDoesNotAllocate(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("not for windows: each wait has a context of its own, to end with its objects")
	}
	if race.Enabled {
		return // pools forget at random then
	}
	ns := filemaptest.New(t)
	there, back := autoEvent(t, ns.Name("there")), autoEvent(t, ns.Name("back"))
	held := mutex(t, ns.Name("held"))
	hold, _, err := held.TryLock()
	succeed(t, "TryLock", err)
	waits := map[string]func(context.Context, *waitable.Event) error{
		"Wait": func(ctx context.Context, e *waitable.Event) error { return e.Wait(ctx) },
		"Any of two": func(ctx context.Context, e *waitable.Event) error {
			_, err := waitable.Any(ctx, e, held)
			return err
		},
	}
	for name, wait := range waits {
		for _, ctx := range []context.Context{context.Background(), patient(t)} {
			echoes, stop := context.WithCancel(ctx)
			ended := inBackground(func() error {
				for {
					if err := wait(echoes, there); err != nil {
						return err
					}
					if err := back.Set(); err != nil {
						return err
					}
				}
			})
			allocs := testing.AllocsPerRun(200, func() {
				succeed(t, "Set", there.Set())
				succeed(t, name, wait(ctx, back))
			})
			if allocs != 0 {
				t.Errorf("%s with %v: %v allocations", name, ctx, allocs)
			}
			stop()
			expect(t, name, receive(t, name, ended), context.Canceled)
		}
	}
	succeed(t, "Unlock", hold.Unlock())
}
