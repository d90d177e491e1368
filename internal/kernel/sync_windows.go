package kernel

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/filemap-go/filemap/internal/race"
	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// Sync is a handle to one of the system's synchronization objects.
type Sync struct {
	name   object.Name
	kind   object.Kind
	manual bool // of an event: known to stay signaled
	handle sys.Handle
	rights uint32 // that the handle has

	// turn is held by the one goroutine of this handle that waits for the mutex
	// alone, which costs a thread: the others queue for it.
	turn chan struct{}

	mu     sync.Mutex
	held   *ownership           // of a mutex: by this handle
	waits  map[*closer]struct{} // for Close to end
	users  int                  // calls that need the handle open
	unused chan struct{}        // closed by the last of them after Close
	closed bool
}

// newSync returns a handle.
func newSync(name object.Name, kind object.Kind, handle sys.Handle, rights uint32) *Sync {
	s := &Sync{
		name: name, kind: kind, handle: handle, rights: rights,
		turn:   make(chan struct{}, 1),
		waits:  make(map[*closer]struct{}),
		unused: make(chan struct{}),
	}
	if kind == object.Event && rights&sys.QUERY_STATE != 0 {
		info, err := sys.QueryEvent(handle)
		s.manual = err == nil && info.AutoReset == 0
	}
	return s
}

// CreateSync makes a new synchronization object.
func CreateSync(spec SyncSpec) (*Sync, error) {
	if spec.Tracked {
		return nil, object.Explain(errors.ErrUnsupported,
			"Windows does not know who took a semaphore's permits")
	}
	descriptor, err := syncDescriptor(spec.Security)
	if err != nil {
		return nil, err
	}
	if spec.Schedule != nil {
		return spec.bear(descriptor)
	}
	return spec.create(descriptor)
}

func (spec SyncSpec) create(descriptor *sys.SecurityDescriptor) (*Sync, error) {
	handle, err := createObject(spec, descriptor)
	return spec.created(handle, err)
}

// created returns the object that the system made, or says why it did not. The
// system hands out what has the name, together with its error.
func (spec SyncSpec) created(handle sys.Handle, err error) (*Sync, error) {
	if err == sys.ERROR_ALREADY_EXISTS {
		sys.CloseHandle(handle)
	}
	if err == sys.ERROR_ACCESS_DENIED && !spec.Name.IsZero() {
		return nil, explainDenied(spec)
	}
	if err != nil {
		return nil, explainNamed(err, spec.Name, spec.Kind)
	}
	return newSync(spec.Name, spec.Kind, handle, rightsMax(spec.Kind)), nil
}

// explainDenied says why the system denied to create an object. Where the name
// exists, it asks for all rights to what has it.
func explainDenied(spec SyncSpec) error {
	unborn := isUnborn(spec.Name) // before the look at its rights
	handle, _, err := openMost(spec.Kind, opener(spec.Name, spec.Kind))
	switch {
	case err == nil:
		sys.CloseHandle(handle)
		return object.ErrExist
	case unborn:
		return object.ErrExist
	case err == sys.ERROR_ACCESS_DENIED:
		return errNoRight
	}
	return object.ErrPermission
}

func createObject(spec SyncSpec, descriptor *sys.SecurityDescriptor) (sys.Handle, error) {
	name := win32Name(spec.Name)
	switch spec.Kind {
	case object.Mutex:
		return sys.CreateMutex(descriptor, false, name)
	case object.Semaphore:
		return sys.CreateSemaphore(descriptor, spec.Count, spec.Max, name)
	case object.Event:
		return sys.CreateEvent(descriptor, spec.Manual, spec.Signaled, name)
	case object.Job:
		return sys.CreateJobObject(descriptor, name)
	}
	return sys.CreateWaitableTimer(descriptor, spec.Manual, name)
}

// OpenSync opens a live synchronization object for whatever its owner grants.
// What is not granted is denied when it is tried.
func OpenSync(name object.Name, kind object.Kind) (*Sync, error) {
	handle, rights, err := openBorn(name, kind)
	if err == sys.ERROR_ACCESS_DENIED {
		return nil, errNoRight
	}
	if err != nil {
		return nil, explainNamed(err, name, kind)
	}
	return newSync(name, kind, handle, rights), nil
}

// opener returns the function that opens an object for some rights.
func opener(name object.Name, kind object.Kind) func(rights uint32) (sys.Handle, error) {
	open := sys.OpenWaitableTimer
	switch kind {
	case object.Mutex:
		open = sys.OpenMutex
	case object.Semaphore:
		open = sys.OpenSemaphore
	case object.Event:
		open = sys.OpenEvent
	case object.Job:
		open = sys.OpenJobObject
	}
	return func(rights uint32) (sys.Handle, error) { return open(rights, win32Name(name)) }
}

// is reports whether two handles are of one object: a name leads to the same
// one for as long as there are handles.
func (s *Sync) is(other *Sync) bool {
	return s == other || !s.name.IsZero() && NativeName(s.name) == NativeName(other.name)
}

// use keeps the handle open until unuse, for calls that need a right.
func (s *Sync) use(right uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return os.ErrClosed
	}
	if err := checkRight(s.kind, s.rights, right); err != nil {
		return err
	}
	s.users++
	return nil
}

func (s *Sync) unuse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users--
	if s.closed && s.users == 0 {
		close(s.unused)
	}
}

// Close implements the contract.
func (s *Sync) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return os.ErrClosed
	}
	s.closed = true
	for w := range s.waits {
		w.end(os.ErrClosed)
	}
	if s.users == 0 {
		close(s.unused)
	}
	held := s.held
	s.mu.Unlock()
	if held != nil {
		held.thread.abandon()
	}
	<-s.unused
	return sys.CloseHandle(s.handle)
}

// SetEvent implements the contract.
func (s *Sync) SetEvent() error { return s.change(sys.SetEvent) }

// ResetEvent implements the contract.
func (s *Sync) ResetEvent() error { return s.change(sys.ResetEvent) }

// PulseEvent implements the contract. Waits that share a thread with others
// (see waiters) miss the pulse while the thread looks after those.
func (s *Sync) PulseEvent() error { return s.change(sys.PulseEvent) }

// CancelTimer implements the contract.
func (s *Sync) CancelTimer() error { return s.change(sys.CancelWaitableTimer) }

// SetTimer implements the contract.
func (s *Sync) SetTimer(at Schedule) error {
	due := -max(hundreds(at.After), 1)
	if !at.At.IsZero() {
		due = fileTime(at.At)
	}
	return s.change(func(h sys.Handle) error {
		return sys.SetWaitableTimer(h, due, int32(at.Period/time.Millisecond))
	})
}

// hundreds returns a length of time in units of 100 ns, rounded up so that no
// timer is early.
func hundreds(d time.Duration) int64 {
	units := int64(d / 100)
	if d%100 > 0 {
		units++
	}
	return units
}

// fileTime returns a time in units of 100 ns since 1601.
func fileTime(t time.Time) int64 {
	const unitsPerSecond, secondsTo1970 = 10_000_000, 11_644_473_600
	const secondsMax = 1<<63/unitsPerSecond - secondsTo1970 - 1
	seconds := min(max(t.Unix(), -secondsTo1970), secondsMax)
	return max((seconds+secondsTo1970)*unitsPerSecond+hundreds(time.Duration(t.Nanosecond())), 1)
}

// ReleaseSemaphore implements the contract.
func (s *Sync) ReleaseSemaphore(n int32) (previous int32, err error) {
	if n <= 0 {
		return 0, fs.ErrInvalid
	}
	err = s.change(func(h sys.Handle) error {
		previous, err = sys.ReleaseSemaphore(h, n)
		return err
	})
	if err == sys.ERROR_TOO_MANY_POSTS {
		err = object.ErrLimit
	}
	return previous, err
}

// change calls the system to change the object.
func (s *Sync) change(call func(sys.Handle) error) error {
	return s.with(sys.MODIFY_STATE, func(h sys.Handle) error {
		race.Release()
		return call(h)
	})
}

// with calls the system for the object, which takes a right to it.
func (s *Sync) with(right uint32, call func(sys.Handle) error) error {
	if err := s.use(right); err != nil {
		return err
	}
	defer s.unuse()
	return explain(call(s.handle))
}

// A closer ends a wait when one of its objects is closed.
type closer struct{ end context.CancelCauseFunc }

// endWithClose returns a context that ends with ctx and when one of the
// objects is closed. The caller must call stop.
func endWithClose(ctx context.Context, objects []*Sync) (_ context.Context, stop func()) {
	ctx, end := context.WithCancelCause(ctx)
	w := &closer{end}
	for _, s := range objects {
		s.mu.Lock()
		s.waits[w] = struct{}{}
		if s.closed {
			end(os.ErrClosed)
		}
		s.mu.Unlock()
	}
	return ctx, func() {
		for _, s := range objects {
			s.mu.Lock()
			delete(s.waits, w)
			s.mu.Unlock()
		}
		end(nil)
	}
}

// Check returns nil: nobody can take a name away.
func (s *Sync) Check() error { return nil }

// SpotCheck returns nil.
func (s *Sync) SpotCheck() error { return nil }
