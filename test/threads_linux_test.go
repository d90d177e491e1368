package test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/waitable"
)

// TestThreadsFollowWaits has many goroutines wait, each for a short time. The
// threads that this takes are as many as for those that wait at a time.
func TestThreadsFollowWaits(t *testing.T) {
	if !alone(t) {
		return
	}
	e := newEvent(t, filemaptest.New(t), "never", true, false)
	end := time.Now().Add(time.Duration(effort(t, 3, 10)) * time.Second)
	var waiters sync.WaitGroup
	for range 400 {
		waiters.Go(func() {
			for time.Now().Before(end) {
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Millisecond)
				_, err := waitable.Any(ctx, e) // unlike Wait, not in turns
				expect(t, "Any", err, context.DeadlineExceeded)
				cancel()
			}
		})
	}
	waiters.Wait()
	// 64 block threads of their own, 4 threads are enough for the others, and
	// Go's runtime has some.
	const most = 100
	threads := statusOf(t, "Threads")
	t.Logf("figures: short waits: %d threads", threads)
	if threads > most {
		t.Errorf("%d threads, want %d at most", threads, most)
	}
}
