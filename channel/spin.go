package channel

import (
	"math"
	"sync/atomic"
	"time"
)

// How long a wait spins, watching the memory, before it sleeps. A spinning wait
// finds a message within 0.1 us after it is sent, but uses a processor. A sleeping
// wait uses no processor, but takes about 20 to 50 us to wake.
const (
	// SpinAdaptive spins for up to 300 us if that has recently been enough,
	// otherwise for about 1 us. It is the default.
	SpinAdaptive time.Duration = 0
	// SpinNever sleeps at once.
	SpinNever time.Duration = -1
	// SpinAlways spins until the wait ends. It is for programs that have a
	// processor to spare.
	SpinAlways time.Duration = math.MaxInt64
)

const (
	// spinLongest is about what it takes to be woken, twice, with some work
	// between: two that sleep find out that they need not.
	spinLongest  = 300 * time.Microsecond
	spinShortest = time.Microsecond
)

// spin decides how long one end's waits spin. Usually one goroutine at a time uses
// an end; if several do, some decisions are wrong, which only costs time.
//
// Spin for the full budget while spinning keeps succeeding. After each failure,
// double the number of short waits required before trying the full budget again:
// spinning would have been enough for those, but so it seemed before. With one
// processor for both sides, for instance, a spinning side only keeps the other
// from running.
type spin struct {
	option time.Duration
	misses atomic.Uint32 // how often in a row watching long was not enough
	skip   atomic.Uint32 // how many waits have yet to be short
}

// tries returns how often to try at a time, without a look at anything else:
// for about a microsecond.
func (s *spin) tries() int {
	if s.option == SpinNever {
		return 1
	}
	return 400
}

// budget returns how long the next wait is to watch.
func (s *spin) budget() time.Duration {
	switch {
	case s.option != SpinAdaptive:
		return s.option
	case s.skip.Load() > 0:
		return spinShortest
	}
	return spinLongest
}

// learn takes in a wait: for how long it was to watch, how long it took, and
// whether it slept.
func (s *spin) learn(budget, took time.Duration, slept bool) {
	switch {
	case s.option != SpinAdaptive:
	case !slept:
		s.misses.Store(0)
		s.skip.Store(0)
	case budget == spinLongest:
		s.skip.Store(1 << min(s.misses.Add(1), 10))
	case took < spinLongest && s.skip.Load() > 0:
		s.skip.Add(^uint32(0))
	}
}
