package channel

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
type end uint64

const (
	ownerBits    = 16
	positionMask = 1<<(64-ownerBits+3) - 1 // positions are modulo this + 1
)

func newEnd(position uint64, owner uint16) end {
	return end(position/8<<ownerBits) | end(owner)
}

func (e end) position() uint64 { return uint64(e) >> ownerBits * 8 }
func (e end) owner() uint16    { return uint16(e) }

// distance returns how far a position is ahead of another.
func distance(ahead, behind uint64) uint64 { return (ahead - behind) & positionMask }

func advance(position, by uint64) uint64 { return (position + by) & positionMask }

func loadEnd(word *uint64) end {
	step.Here()
	return end(race.Load(word))
}

func (e end) store(word *uint64) { store(word, uint64(e)) }

// take makes the end, seen as nobody's, this owner's.
func (e end) take(word *uint64, owner uint16) bool {
	step.Here()
	return e.owner() == 0 && race.CompareAndSwap(word, uint64(e), uint64(e)|uint64(owner))
}

// leave moves the end on, to nobody.
func leave(word *uint64, position uint64) { newEnd(position, 0).store(word) }
