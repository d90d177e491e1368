package ring

import (
	"sync/atomic"

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

// Leased is a lease that a place has, and the version of the value: 0 if that is not
// known.
type Leased struct {
	Owner   uint16
	Version uint64
}

// LeasedBy returns the leases that copies of the words tell of, with those of the
// slots' versions.
func LeasedBy(leases, versions []uint64) (all []Leased) {
	for _, word := range leases {
		l := lease(word)
		slot := int(l >> ownerBits)
		if slot == 0 {
			continue // nobody's, or about to be somebody's
		}
		one := Leased{Owner: l.owner()}
		if slot <= len(versions) {
			one.Version = versions[slot-1]
		}
		all = append(all, one)
	}
	return all
}

// Lease leases the newest value, unless its version is after, or there is none:
// then the slots are empty. The lease is the one of number i.
func (s *Slots) Lease(owner uint16, after uint64) (i int, n Newest, a Attempt, err error) {
	if n = s.Newest(); n.Version() == 0 || n.Version() == after {
		return 0, n, Empty, nil
	}
	if i = s.takeLease(owner); i < 0 {
		return 0, n, Empty, ErrNoLease
	}
	for range lookups {
		n = s.Newest()
		if n.Slot() >= len(s.all) {
			break
		}
		Store(&s.leases[i], uint64(newLease(n.Slot(), owner)))
		if s.all[n.Slot()].is(n.Version()) {
			return i, n, Done, nil
		}
	}
	s.GiveBack(i, owner)
	if s.Newest() == n { // nobody writes to that slot
		return 0, n, Empty, object.ErrCorrupt
	}
	return 0, n, Empty, ErrTooFast
}

// ErrNoLease is an [object.ErrNoSpace].
var ErrNoLease = object.Explain(object.ErrNoSpace, "all leases are taken")

// LeaseOwner returns the place that has a lease, or 0.
func (s *Slots) LeaseOwner(i int) uint16 { return lease(atomic.LoadUint64(&s.leases[i])).owner() }

// takeLease takes a lease for a place, of no slot yet. It returns -1 if all are
// taken.
func (s *Slots) takeLease(owner uint16) int {
	for i := range s.leases {
		step.Here()
		if race.CompareAndSwap(&s.leases[i], 0, uint64(owner)) {
			return i
		}
	}
	return -1
}

// GiveBack gives a lease back, unless it is another place's by now: the owner may
// have been closed meanwhile.
func (s *Slots) GiveBack(i int, owner uint16) {
	word := Load(&s.leases[i])
	if lease(word).owner() == owner {
		race.CompareAndSwap(&s.leases[i], word, 0)
	}
}
