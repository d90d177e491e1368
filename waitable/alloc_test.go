package waitable_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/filemap-go/filemap/filemaptest"
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
