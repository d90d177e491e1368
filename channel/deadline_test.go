package channel

import (
	"context"
	"runtime"
	"testing"
	"time"
)

// TestDeadlineStops stops a deadline long before its time: nothing of it stays in
// memory, also if it is set again.
func TestDeadlineStops(t *testing.T) {
	collected := make(chan bool, 1)
	func() {
		d := new(deadline)
		d.start(context.Background())
		d.set(time.Now().Add(time.Hour))
		runtime.SetFinalizer(d.context(), func(any) { collected <- true })
		d.stop()
		d.set(time.Now().Add(time.Hour))
	}()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		runtime.GC()
		if len(collected) > 0 {
			return
		}
	}
	t.Error("the timer keeps the context in memory")
}
