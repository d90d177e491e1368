package line

import (
	"sync/atomic"
	"testing"
	"time"
)

// TestStop has one measurement follow the other at once: the other side must not miss
// the end of the first.
func TestStop(t *testing.T) {
	l := &Line{word: new(atomic.Uint64)}
	orders := make(chan struct{})
	go func() {
		for range orders {
			answer(l.word)
		}
	}()
	defer close(orders)
	watchdog := time.AfterFunc(time.Minute, func() { panic("the two sides wait for each other") })
	defer watchdog.Stop()
	for range 20 {
		go func() { orders <- struct{}{} }()
		if ns, err := l.spin(); err != nil || ns <= 0 {
			t.Fatal(ns, err)
		}
	}
}
