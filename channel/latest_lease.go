package channel

import (
	"github.com/filemap-go/filemap/internal/race"
	"github.com/filemap-go/filemap/internal/step"
	"github.com/filemap-go/filemap/object"
)

// A lease is a word that says which slot a place has leased. A place may have
// several. With an owner but no slot it is about to say which.
//
//	 31                        16 15                         0
//	+----------------------------+----------------------------+
//	| number of the slot, plus 1 | owner, 0: nobody           |
//	+----------------------------+----------------------------+
type lease uint64

func newLease(slot int, owner uint16) lease { return lease(slot+1)<<ownerBits | lease(owner) }

func (l lease) owner() uint16 { return uint16(l) }

// slots returns the leased slot as a bit: none if it can't be a slot.
func (l lease) slots() uint64 {
	if l < 1<<ownerBits {
		return 0
	}
	return 1 << (l>>ownerBits - 1)
}

// lease leases the newest value, unless its version is after, or there is none:
// then the slots are empty. The lease is the one of number i.
func (s *slots) lease(owner uint16, after uint64) (i int, n newest, a attempt, err error) {
	if n = s.newest(); n.version() == 0 || n.version() == after {
		return 0, n, empty, nil
	}
	if i = s.takeLease(owner); i < 0 {
		return 0, n, empty, errNoLease
	}
	for range lookups {
		n = s.newest()
		if n.slot() >= len(s.all) {
			break
		}
		store(&s.leases[i], uint64(newLease(n.slot(), owner)))
		if s.all[n.slot()].is(n.version()) {
			return i, n, done, nil
		}
	}
	s.giveBack(i, owner)
	if s.newest() == n { // nobody writes to that slot
		return 0, n, empty, object.ErrCorrupt
	}
	return 0, n, empty, ErrTooFast
}

// errNoLease is an [object.ErrNoSpace].
var errNoLease = object.Explain(object.ErrNoSpace, "all leases are taken")

// takeLease takes a lease for a place, of no slot yet. It returns -1 if all are
// taken.
func (s *slots) takeLease(owner uint16) int {
	for i := range s.leases {
		step.Here()
		if race.CompareAndSwap(&s.leases[i], 0, uint64(owner)) {
			return i
		}
	}
	return -1
}

// giveBack gives a lease back, unless it is another place's by now: the owner may
// have been closed meanwhile.
func (s *slots) giveBack(i int, owner uint16) {
	word := load(&s.leases[i])
	if lease(word).owner() == owner {
		race.CompareAndSwap(&s.leases[i], word, 0)
	}
}
