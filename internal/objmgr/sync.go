package objmgr

import (
	"errors"
	"os"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/internal/race"
	"github.com/filemap-go/filemap/object"
)

// SyncSpec says how a new synchronization object is to be.
type SyncSpec struct {
	Name     object.Name
	Kind     object.Kind
	Mode     uint32 // permission bits of its file
	Manual   bool   // events and timers: signaled until reset
	Signaled bool   // events: at birth
	Count    uint32 // semaphores: at birth
	Max      uint32
	Tracked  bool     // semaphores: permits of handles that died come back
	Schedule Schedule // timers: at birth
	Leave    bool     // jobs: members live on when the last handle is gone
	Exact    bool     // jobs: no command starts outside of the cgroup
	Cgroup   string   // jobs: the path of the cgroup, whose name tells the ID
	ID       uint64   // jobs: 0 for any
}

// Sync is a handle to a synchronization object. Its methods may be called from
// any goroutine.
type Sync struct {
	*Object
	kind   object.Kind
	manual bool   // events and timers
	max    uint32 // semaphores
	param  uint64 // jobs: what they were created with
	cgroup Cgroup // jobs
	page   Page
	state  Word
	ledger *ledger // tracked semaphores

	namespace uint32        // mutexes: that of the creator's PID
	identity  atomic.Uint64 // see identify
	waited    atomic.Bool   // some wait may have marked the state

	// Populated, if there is one, reports whether a job has members besides those of
	// its guards. It is set before the handle is used.
	Populated func() bool

	// turn is held by the one goroutine of this handle that waits for the
	// object alone: the others queue for it, in their order.
	turn chan struct{}

	looked atomic.Int64 // when lookDue said so
	spots  spots

	// mu is held for reading by who asks the host about the open file.
	mu       sync.RWMutex
	closed   atomic.Bool
	released atomic.Bool // the page may be private memory: set after closed

	// Mutexes: holds goes up with each unlock, and so tells the holds of this
	// handle apart; depth is how often the present one was locked again. Only
	// the holder has business here, but others may try.
	holds atomic.Uint64
	depth atomic.Int64
}

// CreateSync makes a synchronization object.
//
// Returns fs.ErrExist if a live object of the kind has the name, and
// [object.ErrWrongKind] if one of another kind has.
func (m *Manager) CreateSync(spec SyncSpec) (*Sync, error) {
	d, control := m.syncDraft(spec)
	o, err := m.create(d)
	if err != nil {
		return nil, err
	}
	return o.attach(control)
}

// CreateLocked makes a mutex that the handle has locked. The errors are those of
// CreateSync.
func (m *Manager) CreateLocked(spec SyncSpec) (s *Sync, got Taken, err error) {
	d, control := m.syncDraft(spec)
	d.init = func(o *Object) (err error) {
		if s, err = o.newSync(control); err == nil {
			err = s.identify()
		}
		if err == nil && !s.swap(0, s.mine()) {
			err = s.corrupt()
		}
		return err
	}
	if _, err := m.create(d); err != nil {
		return nil, Taken{}, err
	}
	return s, Taken{Hold: s.holds.Load()}, nil
}

// syncDraft returns the draft of a synchronization object, and its control page.
func (m *Manager) syncDraft(spec SyncSpec) (draft, layout.Control) {
	control := m.newControl(spec)
	return draft{
		name: spec.Name,
		kind: spec.Kind,
		mode: spec.Mode | layout.ModeControl,
		fill: func(fd FD) error { return m.writeControl(fd, control) },
	}, control
}

func (m *Manager) newControl(spec SyncSpec) layout.Control {
	c := layout.Control{
		Kind: spec.Kind, ID: spec.ID, PIDNamespace: m.host.PIDNamespace(), Cgroup: spec.Cgroup,
	}
	if c.ID == 0 {
		c.ID = m.host.Random()
	}
	switch {
	case spec.Kind == object.Semaphore:
		c.Param, c.State = uint64(spec.Max), layout.NewState(0, spec.Count)
		if spec.Tracked {
			c.Param |= layout.ParamTracked
		}
	case spec.Kind == object.Job:
		c.Param = jobParam(spec)
	case spec.Manual:
		c.Param = 1
	}
	if spec.Signaled {
		c.State = layout.EventSignaled
	}
	c.Clock, c.Due, c.Period = spec.Schedule.Clock, spec.Schedule.Due, spec.Schedule.Period
	return c
}

// OpenSync opens a live synchronization object.
func (m *Manager) OpenSync(name object.Name, kind object.Kind) (*Sync, error) {
	o, err := m.open(noContext, name, toWrite)
	if err != nil {
		return nil, err
	}
	if !o.Owned { // a POSIX name
		o.Close()
		return nil, object.WrongKind(object.Mapping, kind)
	}
	return o.Sync(kind)
}

// attach makes an open object usable. It closes it if that fails.
func (o *Object) attach(control layout.Control) (*Sync, error) {
	s, err := o.newSync(control)
	if err != nil {
		o.Close()
	}
	return s, err
}

// newSync returns a handle to an open object.
func (o *Object) newSync(control layout.Control) (*Sync, error) {
	s := &Sync{
		Object: o,
		kind:   control.Kind,
		manual: control.Param == 1,
		param:  control.Param,

		namespace: control.PIDNamespace,
		cgroup:    o.cgroup(control),
		turn:      make(chan struct{}, 1),
	}
	err := s.checkParam(control.Param)
	if err == nil {
		s.page, err = o.controlPage(s.kind)
	}
	if err == nil {
		s.state = s.page.Word(layout.StateAt)
	}
	if err == nil && s.kind == object.Semaphore && control.Param&layout.ParamTracked != 0 {
		err = s.joinLedger()
	}
	if err != nil {
		s.dropToken()
		return nil, err
	}
	return s, nil
}

// exposed reports whether the control page must be guarded. It need not be if it
// is of this user alone: any other user that may write the file, or might have
// when the object was shared more widely, or may change its mode, can truncate
// it, and so can any process that is given a handle to an object without a name.
// A later change of the mode changes nothing here.
func (o *Object) exposed() bool {
	own := o.stat.UID == o.m.host.UID() && o.name.Scope != object.Global && o.file != "" &&
		o.stat.Mode&modeOthersWrite == 0
	return !own
}

func (s *Sync) checkParam(param uint64) error {
	if s.kind != object.Semaphore {
		return nil
	}
	param &^= layout.ParamTracked
	if param == 0 || param > layout.SemaphoreCount {
		return object.ErrCorrupt
	}
	s.max = uint32(param)
	return nil
}

// alive reports whether the handle with a token is open.
func (s *Sync) alive(token uint32) bool {
	if s.hasToken(token) {
		return true
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed.Load() {
		return true // no longer ours to judge
	}
	locked, err := s.m.host.ByteLocked(s.fd, layout.TokenByte+int64(token))
	return locked || err != nil
}

// usable returns an error if the handle is closed, or its page gone.
func (s *Sync) usable() error {
	if s.closed.Load() {
		return os.ErrClosed
	}
	return s.page.Err()
}

// load returns the state. If the handle is closed or the page gone it is any
// state: what is concluded from it counts only if usable returns nil afterward.
func (s *Sync) load() layout.State {
	st := layout.State(s.state.Load())
	race.Acquire()
	runtime.KeepAlive(s) // and with it the page
	return st
}

// swap replaces the state, if it is still old. It reports false if that may have
// been in what Close leaves in the page's place.
func (s *Sync) swap(old, next layout.State) bool {
	return s.swapAnywhere(old, next) && !s.released.Load()
}

// swapAnywhere is swap, also in what Close leaves: the caller asks afterward
// whether the handle is closed.
func (s *Sync) swapAnywhere(old, next layout.State) bool {
	race.Release()
	swapped := s.state.CompareAndSwap(uint64(old), uint64(next))
	race.Acquire()
	runtime.KeepAlive(s)
	return swapped
}

// swapAndWake is swap for changes that may let others go on.
func (s *Sync) swapAndWake(old, next layout.State) bool {
	if !s.swap(old, next.Without(layout.StateWaiters)) {
		return false
	}
	if old.Has(layout.StateWaiters) {
		s.page.Wake()
	}
	return true
}

// stateAttempts bounds how often an operation looks at a state that changes
// under it. Honest processes let it through long before.
const stateAttempts = 10000

// change applies next to the state until it stays, and wakes who waits. next
// returns an error to change nothing.
func (s *Sync) change(next func(layout.State) (layout.State, error)) error {
	for range stateAttempts {
		old := s.load()
		if err := s.usable(); err != nil {
			return err
		}
		want, err := next(old)
		if err != nil || want == old {
			return err
		}
		if s.swapAndWake(old, want) {
			return nil
		}
	}
	return s.corrupt()
}

// corrupt returns the error of an operation that has found a state that no
// program of ours makes: object.ErrCorrupt, if it counts.
func (s *Sync) corrupt() error {
	if err := s.usable(); err != nil {
		return err
	}
	return object.ErrCorrupt
}

// Kind returns the object's kind.
func (s *Sync) Kind() object.Kind { return s.kind }

// Close gives the handle up. Waits through it end with os.ErrClosed; a mutex
// that it holds is abandoned, and tracked permits go back.
func (s *Sync) Close() error {
	var err error
	if s.ledger != nil {
		err = s.ledger.leave()
	}
	s.mu.Lock()
	if s.closed.Swap(true) {
		s.mu.Unlock()
		return os.ErrClosed
	}
	s.mu.Unlock()
	err = errors.Join(err, s.abandon())
	s.endWaits()
	s.released.Store(true)
	s.dropToken()
	return errors.Join(err, s.Object.Close())
}

// endWaits wakes the waits through a closed handle. One that has looked before it
// was closed, and is about to sleep, finds the state changed; if another handle's
// wait has put it back by then, it looks again when its sleep ends.
func (s *Sync) endWaits() {
	if !s.waited.Load() {
		return
	}
	for range stateAttempts {
		old := s.load()
		if !old.Has(layout.StateWaiters) || s.swap(old, old.Without(layout.StateWaiters)) {
			if old.Has(layout.StateWaiters) {
				s.page.Wake()
			}
			return
		}
	}
	s.page.Wake()
}
