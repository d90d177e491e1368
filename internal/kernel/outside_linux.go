package kernel

import (
	"runtime"
	"sync"
)

// What this process shares among all its goroutines must not belong to one of
// them. A goroutine that is started, and a channel that is made, in a bubble of
// testing/synctest is part of the bubble: the bubble waits for the goroutine to
// end, and what happens outside may not use the channel. So they are made
// outside.

// outside calls f in a new goroutine that belongs to no bubble.
func outside(f func()) {
	if !InBubble() {
		go f()
		return
	}
	// Cleanups run outside any bubble, as package testing/synctest documents. In
	// a test, a collection is a fair price.
	callWhenCollected(func() { go f() })
	runtime.GC()
}

// callOutside is outside, and waits until f returns.
func callOutside(f func()) {
	var done sync.Mutex // unlike a channel, it belongs to no bubble
	done.Lock()
	outside(func() {
		defer done.Unlock()
		f()
	})
	done.Lock()
}

// callWhenCollected has the garbage collector call f when it runs.
//
//go:noinline
func callWhenCollected(f func()) {
	garbage := new(*int) // with a pointer: it shares its memory with nothing
	runtime.AddCleanup(garbage, func(f func()) { f() }, f)
}
