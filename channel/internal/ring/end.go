package ring

import (
	"github.com/filemap-go/filemap/internal/race"
	"github.com/filemap-go/filemap/internal/step"
)

// An end is the word that says where one end of a ring is, and whose it is at
// the moment: the position in bytes, which only grows, above, and the number of
// the owner's place below. Moving on and letting go are one store.
//
//	 63                                              16 15                 0
//	+--------------------------------------------------+--------------------+
//	| position / 8, modulo 2^48                        | owner, 0: nobody   |
//	+--------------------------------------------------+--------------------+
type End uint64

const (
	ownerBits    = 16
	positionMask = 1<<(64-ownerBits+3) - 1 // positions are modulo this + 1
)

func newEnd(position uint64, owner uint16) End {
	return End(position/8<<ownerBits) | End(owner)
}

// Position returns where the end is.
func (e End) Position() uint64 { return uint64(e) >> ownerBits * 8 }

// Owner returns the number of the place that has the end: 0 if none has.
func (e End) Owner() uint16 { return uint16(e) }

// distance returns how far a position is ahead of another.
func distance(ahead, behind uint64) uint64 { return (ahead - behind) & positionMask }

func advance(position, by uint64) uint64 { return (position + by) & positionMask }

// LoadEnd returns the end that a word holds.
func LoadEnd(word *uint64) End {
	step.Here()
	return End(race.Load(word))
}

func (e End) store(word *uint64) { Store(word, uint64(e)) }

// Take makes the end, seen as nobody's, this owner's.
func (e End) Take(word *uint64, owner uint16) bool {
	step.Here()
	return e.Owner() == 0 && race.CompareAndSwap(word, uint64(e), uint64(e)|uint64(owner))
}

// MoveEnd moves the end on, and keeps it.
func MoveEnd(word *uint64, position uint64, owner uint16) { newEnd(position, owner).store(word) }

// Leave moves the end on, to nobody.
func Leave(word *uint64, position uint64) { newEnd(position, 0).store(word) }
