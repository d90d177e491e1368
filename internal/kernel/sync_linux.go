package kernel

import (
	"context"
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/internal/objmgr"
	"github.com/filemap-go/filemap/object"
)

// hold tells the holds of one handle apart.
type hold = uint64

// Sync is a handle to a synchronization object.
type Sync struct {
	*objmgr.Sync
	place *place
}

// CreateSync makes a new synchronization object.
func CreateSync(spec SyncSpec) (*Sync, error) {
	p, wanted, err := spec.plan()
	if err != nil {
		return nil, err
	}
	created, err := p.CreateSync(wanted)
	if err != nil {
		return nil, err
	}
	return &Sync{created, p}, nil
}

// CreateLocked makes a new mutex that the handle has locked.
func CreateLocked(spec SyncSpec) (*Sync, Taken, error) {
	p, wanted, err := spec.plan()
	if err != nil {
		return nil, Taken{}, err
	}
	created, got, err := p.CreateLocked(wanted)
	if err != nil {
		return nil, Taken{}, err
	}
	return &Sync{created, p}, Taken{got.Abandoned, got.Hold}, nil
}

// plan returns where and how the object is made.
func (spec SyncSpec) plan() (*place, objmgr.SyncSpec, error) {
	p, err := placeOf(spec.Name)
	if err != nil {
		return nil, objmgr.SyncSpec{}, err
	}
	mode, err := syncMode(spec.Security)
	if err != nil {
		return nil, objmgr.SyncSpec{}, err
	}
	wanted := objmgr.SyncSpec{
		Name: spec.Name, Kind: spec.Kind, Mode: mode, Manual: spec.Manual,
		Signaled: spec.Signaled, Count: uint32(spec.Count), Max: uint32(spec.Max),
		Tracked: spec.Tracked,
	}
	if spec.Schedule != nil {
		wanted.Schedule = p.host.scheduleOf(*spec.Schedule)
	}
	return p, wanted, nil
}

// syncMode returns the permission bits of a synchronization object's file: who
// may use it at all writes to it.
func syncMode(security *object.Security) (uint32, error) {
	if security != nil && (security.Group == object.ShareRead || security.Everybody == object.ShareRead) {
		return 0, object.Explain(fs.ErrInvalid, "only mappings can be shared for reading alone")
	}
	return fileMode(security, object.ReadWrite)
}

// OpenSync opens a live synchronization object.
func OpenSync(name object.Name, kind object.Kind) (*Sync, error) {
	p, err := placeOf(name)
	if err != nil {
		return nil, err
	}
	opened, err := p.OpenSync(name, kind)
	if err != nil {
		return nil, err
	}
	return &Sync{opened, p}, nil
}

// TryLock implements the contract.
func (s *Sync) TryLock() (Taken, bool) {
	got, ok := s.Sync.TryLock()
	return Taken{got.Abandoned, got.Hold}, ok
}

// Wait implements the contract.
func (s *Sync) Wait(ctx context.Context) (Taken, error) {
	got, err := s.Sync.Wait(ctx)
	return Taken{got.Abandoned, got.Hold}, err
}

// TryWait implements the contract.
func (s *Sync) TryWait() (Taken, bool, error) {
	got, ok, err := s.Sync.TryWait()
	return Taken{got.Abandoned, got.Hold}, ok, err
}

// Unlock implements the contract.
func (s *Sync) Unlock(t Taken) error { return s.Sync.Unlock(t.hold) }

// Relock implements the contract.
func (s *Sync) Relock(t Taken) error { return s.Sync.Relock(t.hold) }

// ReleaseSemaphore implements the contract.
func (s *Sync) ReleaseSemaphore(n int32) (int32, error) {
	if n <= 0 {
		return 0, fs.ErrInvalid
	}
	previous, err := s.Sync.ReleaseSemaphore(uint32(n))
	return int32(previous), err
}

// SetTimer implements the contract.
func (s *Sync) SetTimer(at Schedule) error {
	return s.Sync.SetTimer(s.place.host.scheduleOf(at))
}

// scheduleOf returns a schedule by the machine's clocks.
func (h host) scheduleOf(at Schedule) objmgr.Schedule {
	schedule := objmgr.Schedule{Clock: objmgr.ClockMonotonic, Period: int64(at.Period)}
	if at.At.IsZero() {
		now := h.Now(objmgr.ClockMonotonic)
		schedule.Due = now + min(int64(max(at.After, 0)), math.MaxInt64-now)
	} else {
		schedule.Clock = objmgr.ClockRealtime
		schedule.Due = unixNano(at.At)
	}
	return schedule
}

// unixNano returns a time in nanoseconds since 1970: at least 1, since 0 is
// never, and the last that there is, in 2262, for what comes after it.
func unixNano(t time.Time) int64 {
	switch {
	case !t.After(time.Unix(0, 1)):
		return 1
	case t.After(time.Unix(0, math.MaxInt64)):
		return math.MaxInt64
	}
	return t.UnixNano()
}

// CancelTimer implements the contract.
func (s *Sync) CancelTimer() error { return s.Sync.SetTimer(objmgr.Schedule{}) }

// WaitAny takes the first of the objects that is signaled.
func WaitAny(ctx context.Context, objects []*Sync) (int, Taken, error) {
	if len(objects) == 0 {
		return 0, Taken{}, fs.ErrInvalid
	}
	var few [8]*objmgr.Sync // a wait for so many allocates nothing
	i, got, err := objects[0].place.WaitAny(ctx, unwrap(few[:0], objects))
	return i, Taken{got.Abandoned, got.Hold}, err
}

// WaitAll takes all of the objects, once all are signaled.
func WaitAll(ctx context.Context, objects []*Sync) ([]Taken, error) {
	if len(objects) == 0 {
		return nil, fs.ErrInvalid
	}
	got, err := objects[0].place.WaitAll(ctx, unwrap(make([]*objmgr.Sync, 0, len(objects)), objects))
	if err != nil {
		return nil, err
	}
	all := make([]Taken, len(got))
	for i, one := range got {
		all[i] = Taken{one.Abandoned, one.Hold}
	}
	return all, nil
}

// unwrap appends the objects to inner.
func unwrap(inner []*objmgr.Sync, objects []*Sync) []*objmgr.Sync {
	for _, s := range objects {
		inner = append(inner, s.Sync)
	}
	return inner
}

// stateOf returns what a control page tells of its object.
func (h host) stateOf(found objmgr.Info) State {
	c := found.Control
	low := c.State.Low()
	state := State{Manual: c.Param == 1, Waiters: c.State.Has(layout.StateWaiters)}
	switch c.Kind {
	case object.Mutex:
		state.Manual = false
		state.Signaled = low&layout.MutexOwner == 0
		state.Abandoned = c.State.Has(layout.MutexAbandoned)
		state.Owner = h.ownerOf(found)
	case object.Semaphore:
		state.Manual = false
		state.Count, state.Max = int(low&layout.SemaphoreCount), int(c.Param&^layout.ParamTracked)
		state.Signaled = state.Count > 0
	case object.Event:
		state.Signaled = c.State.Has(layout.EventSignaled)
	case object.Timer:
		at := objmgr.Schedule{Clock: c.Clock, Due: c.Due}
		now := h.Now(at.Clock)
		state.Signaled = c.State.Has(layout.TimerExpired) || at.Due > 0 && now >= at.Due
		state.Period = time.Duration(max(c.Period, 0))
		if at.Due > 0 {
			state.Due = time.Now().Add(time.Duration(at.Due - now)) // both are above 0
		}
	}
	return state
}

// ownerOf returns the process that has a mutex locked, or 0 if that is unknown.
// The number of its thread may be one of another PID namespace. Where processes
// of several have the mutex open, the owner has to be among its holders.
func (h host) ownerOf(found objmgr.Info) int {
	c := found.Control
	if c.PIDNamespace != h.PIDNamespace() {
		return 0
	}
	pid := processOf(c.State.Low() & layout.MutexOwner)
	if c.Flags&layout.TrustTokens != 0 && !slices.Contains(found.Holders, pid) {
		return 0
	}
	return pid
}

// processOf returns the process of a thread, or 0 if it can't be seen.
func processOf(tid uint32) int {
	if tid == 0 || tid == layout.OwnerUnknown {
		return 0
	}
	status, err := os.ReadFile("/proc/" + strconv.Itoa(int(tid)) + "/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "\nTgid:")
	line, _, _ := strings.Cut(rest, "\n")
	pid, _ := strconv.Atoi(strings.TrimSpace(line))
	return pid
}
