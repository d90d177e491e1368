package kernel

import "time"

// InBubble reports whether the calling goroutine belongs to a bubble of
// testing/synctest. Those have a clock of their own, which is not the monotonic one.
func InBubble() bool {
	now := time.Now()
	return now == now.Round(0)
}
