package ring

import (
	"math/bits"
	"sync/atomic"

	"github.com/filemap-go/filemap/internal/step"
)

// Sleepers are a set of places: a bit for each.
type Sleepers [2]uint64

// of returns where a place says that it sleeps.
func (w *Sleepers) of(number uint16) (word *uint64, bit uint64) {
	return &w[(number-1)/64%2], 1 << ((number - 1) % 64)
}

// Add puts a place among the sleepers.
func (w *Sleepers) Add(number uint16) {
	step.Here()
	word, bit := w.of(number)
	atomic.OrUint64(word, bit)
}

// With returns the set with another place in it.
func (w Sleepers) With(number uint16) Sleepers {
	word, bit := w.of(number)
	*word |= bit
	return w
}

// Load returns the sleepers of the moment.
func (w *Sleepers) Load() (who Sleepers) {
	for i := range w {
		who[i] = atomic.LoadUint64(&w[i])
	}
	return who
}

// TakeAll returns the sleepers and clears their bits, for a caller that wakes them:
// each sets its bit again before it sleeps again.
func (w *Sleepers) TakeAll() (who Sleepers) {
	for i := range w {
		step.Here()
		if atomic.LoadUint64(&w[i]) != 0 {
			who[i] = atomic.SwapUint64(&w[i], 0)
		}
	}
	return who
}

// Has reports whether a place is among them.
func (w *Sleepers) Has(number uint16) bool {
	word, bit := w.of(number)
	return *word&bit != 0
}

// Forget takes a place out of the sleepers.
func (w *Sleepers) Forget(number uint16) {
	step.Here()
	word, bit := w.of(number)
	atomic.AndUint64(word, ^bit)
}

// IsAny reports whether a process sleeps, or is about to.
func (w *Sleepers) IsAny() bool {
	step.Here()
	return atomic.LoadUint64(&w[0])|atomic.LoadUint64(&w[1]) != 0
}

// Count returns how many they are.
func (w Sleepers) Count() int { return bits.OnesCount64(w[0]) + bits.OnesCount64(w[1]) }
