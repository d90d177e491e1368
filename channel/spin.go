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
	// SpinAdaptive watches for up to 50 us, and for less where that has been
	// in vain of late. It is the default.
	SpinAdaptive time.Duration = 0
	// SpinNever sleeps at once.
	SpinNever time.Duration = -1
	// SpinAlways watches until there is something, for who has a processor to
	// spare.
	SpinAlways time.Duration = math.MaxInt64
)

const (
	spinLongest  = 50 * time.Microsecond
	spinShortest = time.Microsecond
)

// spin decides how long one end's waits watch. Ends are used by one goroutine
// at a time most of the time; where not, a decision may be off, no more.
type spin struct {
	option time.Duration
	vain   atomic.Uint32 // how many waits in a row had to sleep
}

// looks returns how often to look at a time, without a look at anything else:
// for about a microsecond.
func (s *spin) looks() int {
	if s.option == SpinNever {
		return 1
	}
	return 400
}

// budget returns how long the next wait is to watch: half as long after each
// one that was in vain, but for a second try after the 2nd, 4th, 8th and so on,
// because the other side may have become fast meanwhile.
func (s *spin) budget() time.Duration {
	vain := s.vain.Load()
	switch {
	case s.option != SpinAdaptive:
		return s.option
	case vain&(vain-1) == 0:
		return spinLongest
	}
	return max(spinLongest>>min(vain, 16), spinShortest)
}

// learn takes in whether watching was enough.
func (s *spin) learn(enough bool) {
	if enough {
		s.vain.Store(0)
	} else {
		s.vain.Add(1)
	}
}
