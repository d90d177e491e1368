package waitable_test

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/waitable"
)

// TestNoGoroutineStays has the library start what goroutines it needs. All of
// them end after the last handle was closed.
func TestNoGoroutineStays(t *testing.T) {
	name := filemaptest.New(t).Name("mutex")
	m, err := waitable.CreateMutex(name, nil)
	succeed(t, "CreateMutex", err)
	hold, err := m.Lock(t.Context())
	succeed(t, "Lock", err)
	var waiters sync.WaitGroup
	for range 200 { // some block threads of their own, some do not
		waiters.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			_, err := m.Lock(ctx)
			expect(t, "Lock", err, context.DeadlineExceeded)
		})
	}
	waiters.Wait()
	succeed(t, "Unlock", hold.Unlock())
	succeed(t, "Close", m.Close())
	for start := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		stacks := ownStacks()
		if len(stacks) == 0 {
			return
		}
		if time.Since(start) > watchdog {
			t.Fatalf("%d goroutines stay:\n%s", len(stacks), strings.Join(stacks, "\n\n"))
		}
	}
}

// ownStacks returns the stacks of the goroutines that the library has started.
func ownStacks() (own []string) {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	for stack := range strings.SplitSeq(string(buf), "\n\n") {
		if strings.Contains(stack, "filemap/internal/") {
			own = append(own, stack)
		}
	}
	return own
}
