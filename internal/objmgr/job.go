package objmgr

import (
	"os"

	"github.com/filemap-go/filemap/internal/layout"
)

// A job's members are kept together by guards, processes that have bytes of the
// job's file locked: see package guard. Without one, the job is empty. A guard that
// ends changes the state, and wakes the waits for that; those look again every
// 250 ms too, since it may be killed.

// empty reports whether no guard has members.
func (s *Sync) empty() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed.Load() {
		return true // usable says what counts
	}
	_, locked, err := s.m.host.FirstLocked(s.fd, layout.GuardBytes, layout.GuardsCount)
	return err == nil && !locked
}

// Stop changes the word that has guards kill what they guard.
func (s *Sync) Stop() error {
	word := s.page.Word(layout.JobStopAt)
	for range stateAttempts {
		old := word.Load()
		if err := s.usable(); err != nil {
			return err
		}
		if word.CompareAndSwap(old, old+1) {
			return s.changed()
		}
	}
	return s.corrupt()
}

// Stopped returns how often the job was stopped, for guards that begin.
func (s *Sync) Stopped() (uint64, error) {
	n := s.page.Word(layout.JobStopAt).Load()
	return n, s.usable()
}

// changed wakes guards and waits.
func (s *Sync) changed() error {
	err := s.change(func(old layout.State) (layout.State, error) {
		return old.Bump(1, layout.StateWaiters-1), nil
	})
	s.page.Wake() // guards do not mark the state
	return err
}

// Leaves reports whether the members live on without the job.
func (s *Sync) Leaves() bool { return s.param&layout.ParamLeave != 0 }

// WhileOpen calls f with the object's open file, which stays open meanwhile.
func (s *Sync) WhileOpen(f func(FD) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed.Load() {
		return os.ErrClosed
	}
	return f(s.fd)
}

// HandleByte returns the position of the byte that the object's handles have
// locked.
func (o *Object) HandleByte() int64 { return o.handleByte() }

// File returns the name of the object's file, or "".
func (o *Object) File() string { return o.file }
