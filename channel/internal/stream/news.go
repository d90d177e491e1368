package stream

import (
	"math/bits"
	"sync/atomic"

	"github.com/filemap-go/filemap/internal/race"
	"github.com/filemap-go/filemap/internal/step"
)

// News is where one side finds which streams the other side has changed: a bit for
// each slot, and a summary with a bit for each word of 64 slots. It also has the word
// that says whether the side sleeps, because both are used together, as in an
// EventCount: the other side sets bits and then looks whether this side sleeps, and
// this side says that it sleeps and then looks for bits.
type News struct {
	sleeping uint64 // 1: a goroutine of the side sleeps on the bell, or is about to
	_        [line - 8]byte
	summary  [Most / 64 / 64]uint64
	_        [line - Most/64/64*8]byte
	words    [Most / 64]uint64
}

// IsAwaited reports whether a flag says that the other side waits for a change of a
// stream, which this side has made. It clears the flag: a caller that gets true must
// call Tell.
func IsAwaited(flag *uint64) bool {
	step.Here()
	return race.Load(flag) != 0 && takeFlag(flag)
}

func takeFlag(flag *uint64) bool {
	step.Here()
	return race.Swap(flag, 0) != 0
}

// Tell tells the side of the news that a slot has changed. It reports whether the caller
// must ring the side's bell.
func (n *News) Tell(slot uint32) (ring bool) {
	n.note(slot)
	step.Here()
	if atomic.LoadUint64(&n.sleeping) == 0 {
		return false
	}
	step.Here()
	return atomic.SwapUint64(&n.sleeping, 0) != 0
}

// note sets the bit of a slot, and only then the one in the summary: see Take.
func (n *News) note(slot uint32) {
	word := slot / 64
	step.Here()
	atomic.OrUint64(&n.words[word], 1<<(slot%64))
	step.Here()
	atomic.OrUint64(&n.summary[word/64], 1<<(word%64))
}

// Take clears all bits, and calls f for the slot of each. It reports whether there
// was one.
func (n *News) Take(f func(slot uint32)) (some bool) {
	for i := range n.summary {
		step.Here()
		if atomic.LoadUint64(&n.summary[i]) == 0 {
			continue
		}
		step.Here()
		for words := atomic.SwapUint64(&n.summary[i], 0); words != 0; words &= words - 1 {
			word := uint32(64*i + bits.TrailingZeros64(words))
			step.Here()
			for slots := atomic.SwapUint64(&n.words[word], 0); slots != 0; slots &= slots - 1 {
				some = true
				f(64*word + uint32(bits.TrailingZeros64(slots)))
			}
		}
	}
	return some
}

// PrepareSleep says that the side is about to sleep. The caller then takes the news
// once more.
func (n *News) PrepareSleep() {
	step.Here()
	atomic.StoreUint64(&n.sleeping, 1)
}

// CancelSleep says that the side is awake.
func (n *News) CancelSleep() {
	step.Here()
	atomic.StoreUint64(&n.sleeping, 0)
}
