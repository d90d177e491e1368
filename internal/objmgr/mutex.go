package objmgr

import (
	"os"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/object"
)

// A mutex belongs to the handle whose token its state holds. If the process
// dies, the system itself marks the state, by the owner number; that is fast,
// but numbers repeat in other PID namespaces. What counts is the token.

// keep prepares a mutex for the death of this process, and returns what the state
// word names the process. Where the system marks no state, the owner is unknown,
// and waits look whether the token lives.
//
// TrustTokens comes first: from keepOwner on, the death of this process marks a
// mutex whose owner has the same number in another PID namespace.
func (s *Sync) keep() (owner uint32, err error) {
	if s.m.host.PIDNamespace() != s.namespace {
		if err := s.trustTokens(); err != nil {
			return 0, err
		}
	}
	owner, err = s.keepOwner()
	if err == nil && (owner == 0 || owner > layout.OwnerUnknown) {
		err = object.ErrCorrupt
	}
	return owner, err
}

// trustTokens has everybody look at the token before they believe that an
// owner died.
func (s *Sync) trustTokens() error {
	flags := s.page.Word(layout.FlagsAt)
	for range stateAttempts {
		old := flags.Load()
		if old&layout.TrustTokens != 0 || flags.CompareAndSwap(old, old|layout.TrustTokens) {
			return s.usable()
		}
	}
	return s.corrupt()
}

// Share prepares for another process to have this handle's open file too: what
// the handle holds is then held until both have ended.
func (s *Sync) Share() error {
	if s.kind != object.Mutex {
		return nil
	}
	return s.trustTokens()
}

// TryLock locks a mutex that nobody has locked, nor had, since the last time.
// It is the whole of most locks.
func (s *Sync) TryLock() (Taken, bool) {
	mine := s.mine()
	if mine == 0 || !s.swapAnywhere(0, mine) || s.closed.Load() {
		return Taken{}, false
	}
	return Taken{Hold: s.holds.Load()}, true
}

// Unlock ends a hold of the mutex.
//
// Returns [object.ErrNotOwner] if the hold has ended before, or the mutex was
// taken from it.
func (s *Sync) Unlock(hold uint64) error {
	if s.holds.Load() != hold {
		return s.notOwner()
	}
	if s.depth.Load() > 0 {
		s.depth.Add(-1)
		return nil
	}
	if !s.holds.CompareAndSwap(hold, hold+1) {
		return s.notOwner()
	}
	if mine := s.mine(); mine != 0 && s.swap(mine, 0) {
		return nil
	}
	return s.unlockSlow()
}

// notOwner returns why a hold is not the handle's. Close ends a hold, too: another
// wait of the handle can then get its number, and give it back.
func (s *Sync) notOwner() error {
	if s.closed.Load() {
		return os.ErrClosed
	}
	return object.ErrNotOwner
}

func (s *Sync) unlockSlow() error {
	return s.change(func(old layout.State) (layout.State, error) {
		if !s.owns(old) {
			return 0, object.ErrNotOwner
		}
		return layout.State(0), nil
	})
}

// owns reports whether a state is that of a mutex that this handle has locked.
// The system may have put the mark of a death in place of the owner number: that
// of another process with the same number in another PID namespace.
func (s *Sync) owns(st layout.State) bool {
	return st.Token() != 0 && st.Token() == s.token() && st.Low()&(layout.MutexOwner|layout.MutexDied) != 0
}

// Relock locks a mutex once more for a hold, which then takes one Unlock more.
func (s *Sync) Relock(hold uint64) error {
	owns := s.holds.Load() == hold && s.owns(s.load())
	if s.closed.Load() {
		return os.ErrClosed
	}
	if !owns {
		return object.ErrNotOwner
	}
	s.depth.Add(1)
	return nil
}

// abandon marks a mutex that this handle holds as abandoned.
func (s *Sync) abandon() error {
	if s.kind != object.Mutex || s.mine() == 0 {
		return nil
	}
	for range stateAttempts {
		old := s.load()
		if !s.owns(old) ||
			s.swapAndWake(old, layout.NewState(0, layout.MutexAbandoned)) {
			return nil
		}
	}
	return object.ErrCorrupt
}

// settleDeath turns what the system left in the state when an owner died into
// a free, abandoned mutex, or puts it right if the owner lives and it was
// another process of the same number that died.
func (s *Sync) settleDeath(old layout.State) {
	flags := s.page.Word(layout.FlagsAt).Load()
	if flags&layout.TrustTokens != 0 && s.alive(old.Token()) {
		s.swap(old, layout.NewState(old.Token(), layout.OwnerUnknown|layout.StateWaiters))
		return
	}
	s.swap(old, s.abandoned(old))
}

// abandoned returns the state of a mutex after its owner died. Who waits is
// woken by whoever takes it next.
func (s *Sync) abandoned(old layout.State) layout.State {
	return layout.NewState(0, layout.MutexAbandoned|old.Low()&layout.StateWaiters)
}
