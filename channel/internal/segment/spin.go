package segment

import (
	"math"
	"sync/atomic"
	"time"
)

// The values of a Spin's option that are not times: see those of package channel.
const (
	SpinAdaptive time.Duration = 0
	SpinNever    time.Duration = -1
	SpinAlways   time.Duration = math.MaxInt64
)

const (
	// SpinLongest is about what it takes to be woken, twice, with some work
	// between: two that sleep find out that they need not.
	SpinLongest  = 300 * time.Microsecond
	spinShortest = time.Microsecond
)

// Spin decides how long one end's waits spin. Usually one goroutine at a time uses
// an end; if several do, some decisions are wrong, which only costs time.
//
// Spin for the full budget while spinning keeps succeeding. After each failure,
// double the number of short waits required before trying the full budget again:
// spinning would have been enough for those, but so it seemed before. With one
// processor for both sides, for instance, a spinning side only keeps the other
// from running.
type Spin struct {
	Option time.Duration
	misses atomic.Uint32 // how often in a row watching long was not enough
	skip   atomic.Uint32 // how many waits have yet to be short
}

// Tries returns how often to try at a time, without a look at anything else:
// for about a microsecond.
func (s *Spin) Tries() int {
	if s.Option == SpinNever {
		return 1
	}
	return 400
}

// budget returns how long the next wait is to watch.
func (s *Spin) budget() time.Duration {
	switch {
	case s.Option != SpinAdaptive:
		return s.Option
	case s.skip.Load() > 0:
		return spinShortest
	}
	return SpinLongest
}

// learn takes in a wait: for how long it was to watch, how long it took, and
// whether it slept.
func (s *Spin) learn(budget, took time.Duration, slept bool) {
	switch {
	case s.Option != SpinAdaptive:
	case !slept:
		s.misses.Store(0)
		s.skip.Store(0)
	case budget == SpinLongest:
		s.skip.Store(1 << min(s.misses.Add(1), 10))
	case took < SpinLongest && s.skip.Load() > 0:
		s.skip.Add(^uint32(0))
	}
}
