package objmgr

import (
	"cmp"
	"context"
	"io/fs"
	"slices"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/object"
)

// Taking several objects at once is done in two phases: claim each, in an
// order that is the same for everybody; when all are claimed, take them. If
// one is not signaled, the claims are given back before anything is waited
// for, so no two waits can block each other.

// WaitAll takes all of the objects as soon as all are signaled at one moment;
// until then it takes none. What it returns is in the order of objects. If ctx
// is done it does not wait, but takes what it can take now.
//
// Returns fs.ErrInvalid if two handles are of the same object.
func (m *Manager) WaitAll(ctx context.Context, objects []*Sync) ([]Taken, error) {
	order, err := claimOrder(objects)
	if err != nil {
		return nil, err
	}
	for _, s := range objects {
		if err := s.identify(); err != nil {
			return nil, err
		}
	}
	recovered := false
	for c := (contention{}); ; {
		ended := ctx.Err() != nil // before the look: see Manager.any
		blocking, v, err := claimAll(objects, order)
		switch {
		case err != nil:
			return nil, err
		case v == taken:
			return commitAll(objects)
		case v == claimed && !(ended && c.paused >= lastLook):
			if err := blocking.contend(&c); err != nil {
				return nil, err
			}
			continue
		case ended && !recovered && recoverPermits(objects):
			recovered = true
			continue
		case ended:
			return nil, blocking.claimedBy(context.Cause(ctx))
		}
		c = contention{}
		m.park(ctx, []*Sync{blocking}, []uint32{pulses(blocking.load())})
	}
}

// claimOrder returns the indices of the objects in the order of their files.
func claimOrder(objects []*Sync) ([]int, error) {
	order := make([]int, len(objects))
	for i := range order {
		order[i] = i
	}
	compare := func(i, j int) int {
		a, b := objects[i].stat, objects[j].stat
		return cmp.Or(cmp.Compare(a.Dev, b.Dev), cmp.Compare(a.Ino, b.Ino))
	}
	slices.SortFunc(order, compare)
	for k := 1; k < len(order); k++ {
		if compare(order[k-1], order[k]) == 0 {
			return nil, object.Explain(fs.ErrInvalid, "an object is named twice")
		}
	}
	return order, nil
}

// claimAll claims all objects, or none and returns the one that was in the
// way.
func claimAll(objects []*Sync, order []int) (blocking *Sync, v verdict, err error) {
	for k, i := range order {
		s := objects[i]
		v := s.tryClaim()
		err := s.usable()
		if v == taken && err == nil {
			continue
		}
		if v == taken {
			s.unclaim()
		}
		for _, j := range order[:k] {
			objects[j].unclaim()
		}
		return s, v, err
	}
	return nil, taken, nil
}

// tryClaim claims the object if it is signaled. A pulse is over before others
// could be claimed too, so it does not count.
func (s *Sync) tryClaim() verdict {
	for range stateAttempts {
		old := s.load()
		switch {
		case s.kind == object.Mutex && old.Has(layout.MutexDied):
			s.settleDeath(old)
		case !s.signaled(old, pulses(old)):
			return s.missed(old)
		case s.isClaimed(old):
			return claimed
		case s.ledger != nil && !s.ledger.mu.TryLock():
			return claimed
		case s.swap(old, old.WithToken(s.token())):
			return taken
		case s.ledger != nil:
			s.ledger.mu.Unlock()
		}
	}
	return claimed
}

// unclaim ends what tryClaim began.
func (s *Sync) unclaim() {
	s.dropClaim()
	if s.ledger != nil {
		s.ledger.mu.Unlock()
	}
}

// commitAll takes objects that are all claimed.
func commitAll(objects []*Sync) ([]Taken, error) {
	all := make([]Taken, len(objects))
	for i, s := range objects {
		got, err := s.commit()
		if err != nil {
			for _, rest := range objects[i+1:] {
				rest.unclaim()
			}
			return nil, err
		}
		all[i] = got
	}
	return all, nil
}

// commit takes a claimed object.
func (s *Sync) commit() (Taken, error) {
	if s.kind == object.Timer && !s.stays() && !s.load().Has(layout.TimerExpired) {
		s.reschedule()
	}
	if s.ledger != nil {
		defer s.ledger.mu.Unlock()
		old := s.load()
		if old.Token() != s.token() {
			return Taken{}, s.corrupt()
		}
		return Taken{}, s.ledger.move(s.ledger.entry, old, 1)
	}
	for range stateAttempts {
		old := s.load()
		if old.Token() != s.token() || s.owned(old) {
			break // somebody wrote into the state what no program of ours does
		}
		next := old
		if !s.stays() {
			next = s.consumed(old)
		}
		if s.kind != object.Mutex {
			next = next.WithToken(0)
		}
		if s.swap(old, next) {
			return s.receipt(old), nil
		}
	}
	return Taken{}, s.corrupt()
}
