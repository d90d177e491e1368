package objmgr

import (
	"time"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/object"
)

// A claim reserves an object for one handle while it does more than one
// compare-and-swap can. It lasts for a few instructions, and never while
// anything is waited for. If its process dies, the claim is taken away, and
// the object is as if the claimer had died before.

// owned reports whether the state is that of a locked mutex.
func (s *Sync) owned(st layout.State) bool {
	return s.kind == object.Mutex && st.Low()&layout.MutexOwner != 0
}

// isClaimed reports whether some handle has claimed the object.
func (s *Sync) isClaimed(st layout.State) bool { return st.Token() != 0 && !s.owned(st) }

// contend waits a little for a claim to end, and ends it if the claimer died.
func (s *Sync) contend(c *contention) error {
	if err := s.usable(); err != nil {
		return err
	}
	const patience = 12 // attempts between two looks at the claimer's life
	if c.attempt%patience == patience-1 {
		s.repair()
	}
	c.pause(s.m.host)
	return nil
}

// contendFor is contend, and fails once it has paused for so long in all.
func (s *Sync) contendFor(long time.Duration, c *contention) error {
	if c.paused >= long {
		return s.claimedBy(errBusy)
	}
	return s.contend(c)
}

// claimedBy explains an error by the process that has claimed the object, if
// one has.
func (s *Sync) claimedBy(err error) error {
	st := s.load()
	if !s.isClaimed(st) {
		return err
	}
	who := s.m.describeLocker(s.stat.id(), layout.TokenByte+int64(st.Token()))
	return object.Explain(err, who+
		" has claimed this object and is not making progress: it may be stopped")
}

// repair takes away what a dead handle holds: a claim, or a mutex. Permits are
// for the ledger to recover, which claims.
func (s *Sync) repair() {
	old := s.load()
	if old.Token() == 0 || s.kind == object.Mutex && old.Has(layout.MutexDied) || s.alive(old.Token()) {
		return
	}
	next := old.WithToken(0)
	if s.owned(old) {
		next = s.abandoned(old)
	} else if s.ledger != nil {
		s.ledger.undo(old.Token())
	}
	s.swap(old, next)
}

// claim claims the object and returns its state. It waits for so long for another
// handle's claim to end.
func (s *Sync) claim(long time.Duration) (layout.State, error) {
	if err := s.identify(); err != nil {
		return 0, err
	}
	for c := (contention{}); ; {
		old := s.load()
		if err := s.usable(); err != nil {
			return 0, err
		}
		if next := old.WithToken(s.token()); !s.isClaimed(old) && s.swap(old, next) {
			return next, nil
		}
		if err := s.contendFor(long, &c); err != nil {
			return 0, err
		}
	}
}

// dropClaim gives a claim back, unless it was taken away.
func (s *Sync) dropClaim() {
	for range stateAttempts {
		old := s.load()
		if old.Token() != s.token() || s.owned(old) || s.swapAndWake(old, old.WithToken(0)) {
			return
		}
	}
}

// changeUnclaimed is change for what must not happen under a claim.
func (s *Sync) changeUnclaimed(next func(layout.State) layout.State) error {
	for c := (contention{}); ; {
		old := s.load()
		if err := s.usable(); err != nil {
			return err
		}
		if !s.isClaimed(old) && s.swapAndWake(old, next(old)) {
			return nil
		}
		if err := s.contendFor(busyTime, &c); err != nil {
			return err
		}
	}
}
