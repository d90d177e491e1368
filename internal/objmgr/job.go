package objmgr

import (
	"os"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/object"
)

// A job's members are kept together by guards, processes that have bytes of the
// job's file locked, or by a cgroup, which has keepers: see package guard. Without
// a guard, and without processes in the cgroup, the job is empty. Guards that end,
// and keepers that see the cgroup become empty, change the state and wake the waits
// for that; those look again every 250 ms too, since guards and keepers may be
// killed. The cgroup is removed with the job.

// Cgroup is the cgroup of a job, as the control page tells. Another user can have
// written that, so a Host looks whether it is what it should be.
type Cgroup struct {
	Path  string // "" if the job has none
	ID    uint64 // of the job, which the cgroup's name ends with
	Owner uint32 // of the job's file, and so of the cgroup
	Leave bool   // its processes live on without the job
}

func (o *Object) cgroup(c layout.Control) Cgroup {
	return Cgroup{c.Cgroup, c.ID, o.stat.UID, c.Param&layout.ParamLeave != 0}
}

func jobParam(spec SyncSpec) (param uint64) {
	if spec.Leave {
		param |= layout.ParamLeave
	}
	if spec.Exact {
		param |= layout.ParamExact
	}
	return param
}

// endCgroup kills what is in the cgroup of a dead job, and removes it, unless
// it has keepers, which do that.
func (o *Object) endCgroup() {
	if kind := o.kept.kind; kind != 0 && kind != object.Job {
		return
	}
	control, err := o.control()
	if err != nil || control.Cgroup == "" {
		return
	}
	if kept, err := o.hasKeepers(); err == nil && !kept {
		o.m.host.EndCgroup(o.cgroup(control))
	}
}

// guarded reports whether there are guards or keepers.
func (o *Object) guarded() (bool, error) {
	_, guarded, err := o.m.host.FirstLocked(o.fd, layout.KeepersByte, 1+layout.GuardsCount)
	return guarded, err
}

// hasKeepers reports whether there are keepers.
func (o *Object) hasKeepers() (bool, error) {
	_, kept, err := o.m.host.FirstLocked(o.fd, layout.KeepersByte, 1)
	return kept, err
}

// empty reports whether there are no members.
func (s *Sync) empty() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed.Load() {
		return true // usable says what counts
	}
	pos, length := s.GuardBytes()
	_, locked, err := s.m.host.FirstLocked(s.fd, pos, length)
	return err == nil && !locked && (s.Populated == nil || !s.Populated())
}

// GuardBytes returns the range of the bytes that are locked while the job has
// members. A handle that sees the cgroup needs nobody's word for what is in that.
func (s *Sync) GuardBytes() (pos, length int64) {
	if s.Populated != nil {
		return layout.MembersByte + 1, layout.GuardsCount - 1
	}
	return layout.GuardBytes, layout.GuardsCount
}

// HasKeepers reports whether the job's cgroup has keepers.
func (s *Sync) HasKeepers() (kept bool, err error) {
	err = s.WhileOpen(func(FD) (err error) {
		kept, err = s.hasKeepers()
		return err
	})
	return kept, err
}

// Stop changes the word that has guards kill what they guard.
func (s *Sync) Stop() error {
	if err := s.usable(); err != nil {
		return err
	}
	s.page.AddOneAndWake(layout.JobStopAt)
	return s.changed()
}

// Stopped returns how often the job was stopped, for guards that begin.
func (s *Sync) Stopped() (uint64, error) {
	n := s.page.Word(layout.JobStopAt).Load()
	return n, s.usable()
}

// changed wakes waits.
func (s *Sync) changed() error {
	return s.change(func(old layout.State) (layout.State, error) {
		return old.Bump(1, layout.StateWaiters-1), nil
	})
}

// Leaves reports whether the members live on without the job.
func (s *Sync) Leaves() bool { return s.param&layout.ParamLeave != 0 }

// Exact reports whether no command may start outside of the cgroup.
func (s *Sync) Exact() bool { return s.param&layout.ParamExact != 0 }

// Cgroup returns what the job's page says of its cgroup.
func (s *Sync) Cgroup() Cgroup { return s.cgroup }

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
