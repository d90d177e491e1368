package objmgr

import (
	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/object"
)

// Taken is what came with an object that a wait took.
type Taken struct {
	Hold      uint64 // of a mutex: what Unlock takes
	Abandoned bool   // of a mutex: its last owner died, or closed it, holding it
}

// verdict is how an attempt to take an object went.
type verdict int

const (
	unsignaled verdict = iota
	taken
	claimed      // by another handle: look again in a moment
	unidentified // the handle needs an identity to take it
)

// try takes the object if it is signaled. since is the count of an event's
// pulses when the wait began.
func (s *Sync) try(since uint32) (Taken, verdict) {
	for range stateAttempts {
		old := s.load()
		if s.kind == object.Mutex && old.Has(layout.MutexDied) {
			s.settleDeath(old)
			continue
		}
		if !s.signaled(old, since) {
			return Taken{}, s.missed(old)
		}
		if s.stays() {
			// A schedule read in between is that of old.
			if s.load() == old && s.usable() == nil {
				return Taken{}, taken
			}
			continue
		}
		if s.isClaimed(old) {
			return Taken{}, claimed
		}
		if s.anonymous() {
			return Taken{}, unidentified
		}
		if s.consume(old) {
			return s.receipt(old), taken
		}
	}
	return Taken{}, claimed
}

// missed returns the verdict on an object that is not signaled. It may be in a
// moment if it is claimed, or its claimer died: not to be slept on.
func (s *Sync) missed(st layout.State) verdict {
	if s.isClaimed(st) {
		return claimed
	}
	return unsignaled
}

// signaled reports whether a state lets a wait that began at since pulses take
// the object, if it is not claimed.
func (s *Sync) signaled(st layout.State, since uint32) bool {
	switch s.kind {
	case object.Mutex:
		return st.Low()&(layout.MutexOwner|layout.MutexDied) == 0
	case object.Semaphore:
		return st.Low()&layout.SemaphoreCount != 0
	case object.Event:
		pulsed := pulses(st) != since && (s.manual || st.Has(layout.EventPulsed))
		return pulsed || st.Has(layout.EventSignaled)
	}
	if s.kind == object.Job {
		return s.empty()
	}
	return s.expired(st)
}

// stays reports whether taking the object leaves it signaled.
func (s *Sync) stays() bool {
	return s.kind == object.Job || s.manual && (s.kind == object.Event || s.kind == object.Timer)
}

// consumed returns the state after a signaled object was taken.
func (s *Sync) consumed(st layout.State) layout.State {
	switch s.kind {
	case object.Mutex:
		return s.mine().With(st.Low() & layout.StateWaiters)
	case object.Semaphore:
		return st - 1
	case object.Event:
		if st.Has(layout.EventSignaled) {
			return st.Without(layout.EventSignaled)
		}
		return st.Without(layout.EventPulsed)
	}
	return st.Without(layout.TimerExpired)
}

// consume takes a signaled, unclaimed object that does not stay signaled. It
// reports false if the state is no longer old.
func (s *Sync) consume(old layout.State) bool {
	if s.ledger != nil {
		return s.ledger.take(old)
	}
	if s.kind != object.Timer || old.Has(layout.TimerExpired) {
		return s.swap(old, s.consumed(old))
	}
	claimed := old.WithToken(s.token())
	if !s.swap(old, claimed) {
		return false
	}
	s.reschedule()
	return s.unclaimTimer(claimed, claimed) == nil
}

func (s *Sync) receipt(old layout.State) Taken {
	if s.kind != object.Mutex {
		return Taken{}
	}
	return Taken{Hold: s.holds.Load(), Abandoned: old.Has(layout.MutexAbandoned)}
}
