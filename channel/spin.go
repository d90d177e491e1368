package channel

import (
	"math"
	"runtime"
	"time"
)

// How long a wait watches the memory before it sleeps. Watching finds a message
// within 0.1 us of its being sent, but uses a processor; to be woken takes some
// 20 to 50 us, but costs nothing until then.
const (
	// SpinAdaptive watches for up to 50 us, and for less where that has been
	// in vain of late. It is the default, and never watches on a machine with
	// one processor.
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

	// spinProbe is how many waits in a row may be short before one watches the
	// longest time again: the other side may have become fast meanwhile.
	spinProbe = 16
)

// spin decides how long one end's waits watch. Ends are used by one goroutine
// at a time most of the time; where not, a decision may be off, no more.
type spin struct {
	option time.Duration
	short  uint // how many waits in a row were in vain
}

func newSpin(option time.Duration) spin {
	if runtime.NumCPU() == 1 && option == SpinAdaptive {
		option = SpinNever
	}
	return spin{option: option}
}

// looks returns how often to look before a wait begins.
func (s *spin) looks() int {
	if s.option == SpinNever {
		return 1
	}
	return 64
}

// budget returns how long the next wait is to watch.
func (s *spin) budget() time.Duration {
	switch {
	case s.option != SpinAdaptive:
		return s.option
	case s.short%spinProbe == spinProbe-1:
		return spinLongest
	}
	return max(spinLongest>>min(s.short, 16), spinShortest)
}

// learn takes in whether watching was enough.
func (s *spin) learn(enough bool) {
	if enough {
		s.short = 0
	} else {
		s.short++
	}
}
