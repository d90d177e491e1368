package channel

import (
	"math"
	"sync/atomic"
	"time"
)

// How long a wait watches the memory before it sleeps. Watching finds a message
// within 0.1 us of its being sent, but uses a processor; to be woken takes some
// 20 to 50 us, but costs nothing until then.
const (
	// SpinAdaptive watches for up to 300 us where that has been enough of late,
	// and else hardly. It is the default.
	SpinAdaptive time.Duration = 0
	// SpinNever sleeps at once.
	SpinNever time.Duration = -1
	// SpinAlways watches until there is something, for who has a processor to
	// spare.
	SpinAlways time.Duration = math.MaxInt64
)

const (
	// spinLongest is about what it takes to be woken, twice, with some work
	// between: two that sleep find out that they need not.
	spinLongest  = 300 * time.Microsecond
	spinShortest = time.Microsecond
)

// spin decides how long one end's waits watch. Ends are used by one goroutine
// at a time most of the time; where not, a decision may be off, no more.
//
// It watches long as long as that is enough. Each time that it was not, twice
// as many waits have to have been short ones before it watches long again: they
// would have been found out by watching, but so it seemed before, too. With one
// processor for both sides, for instance, watching only keeps the other side
// from what one waits for.
type spin struct {
	option time.Duration
	vain   atomic.Uint32 // how often in a row watching long was not enough
	skip   atomic.Uint32 // how many waits have yet to be short
}

// looks returns how often to look at a time, without a look at anything else:
// for about a microsecond.
func (s *spin) looks() int {
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
		s.vain.Store(0)
		s.skip.Store(0)
	case budget == spinLongest:
		s.skip.Store(1 << min(s.vain.Add(1), 10))
	case took < spinLongest && s.skip.Load() > 0:
		s.skip.Add(^uint32(0))
	}
}
