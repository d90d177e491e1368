package kernel

import (
	"context"
	"errors"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/filemap-go/filemap/internal/race"
	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// The system knows threads as owners of mutexes. So a wait that may take one
// runs on a thread of its own, which keeps what it took until that is unlocked.
// A wait for all of several objects needs such a thread too: nothing but an
// alert to its thread ends it.

// A thread does what others tell it. It is idle, or has one wait to do, or owns
// mutexes.
type thread struct {
	handle sys.Handle
	calls  chan func()
	retire *time.Timer // while idle: its end

	mu       sync.Mutex
	owned    int  // mutexes
	abandons bool // it ends once it owns no mutex but abandoned ones
}

// ownership is what a handle has of the mutex that it has locked.
type ownership struct {
	thread *thread
	depth  int  // how often it was locked again
	ended  bool // by Unlock; Close leaves it
}

// hold tells the holds of one handle apart.
type hold = *ownership

const (
	// threadsMax is far below the 10,000 at which Go gives the program up.
	threadsMax = 4000

	idleMax  = 16 // threads that are kept for the next wait
	idleTime = time.Second
)

var errThreads = object.Explain(errors.ErrUnsupported,
	"mutexes, or waits for many objects at once, have all the threads there can be")

var threads threadPool

type threadPool struct {
	mu      sync.Mutex
	idle    []*thread
	running int
}

// take returns a thread that is not used by others.
func (p *threadPool) take() (*thread, error) {
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		t := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		t.retire.Stop()
		return t, nil
	}
	defer p.mu.Unlock()
	if p.running >= threadsMax {
		return nil, errThreads
	}
	t := &thread{calls: make(chan func())}
	started := make(chan error)
	go t.live(started)
	if err := <-started; err != nil {
		return nil, err
	}
	p.running++
	return t, nil
}

// put gives a thread back that owns no mutex.
func (p *threadPool) put(t *thread) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) >= idleMax {
		p.end(t)
		return
	}
	t.retire = time.AfterFunc(idleTime, func() { p.retire(t) })
	p.idle = append(p.idle, t)
}

// retire ends a thread if it is still idle.
func (p *threadPool) retire(t *thread) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.idle, t); i >= 0 {
		p.idle = slices.Delete(p.idle, i, i+1)
		p.end(t)
	}
}

func (p *threadPool) end(t *thread) {
	p.running--
	close(t.calls)
	sys.CloseHandle(t.handle)
}

// bury ends a thread together with its hold of mutexes, and waits until the
// system knows.
func (p *threadPool) bury(t *thread) {
	close(t.calls)
	const patience = 10_000 // milliseconds; the end takes a moment
	_, _ = sys.WaitForMultipleObjects([]sys.Handle{t.handle}, false, patience, false)
	sys.CloseHandle(t.handle)
	p.mu.Lock()
	p.running--
	p.mu.Unlock()
}

// mainThread is the thread that runs package initialization. It never ends
// while the process lives, so it can't abandon a mutex.
var mainThread = sys.CurrentThreadID()

// live does what it is told until there will be no more.
func (t *thread) live(started chan<- error) {
	runtime.LockOSThread()
	if sys.CurrentThreadID() == mainThread {
		defer runtime.UnlockOSThread()
		elsewhere := make(chan error)
		go t.live(elsewhere)
		started <- <-elsewhere
		return
	}
	var err error
	t.handle, err = sys.OpenCurrentThread()
	started <- err
	if err != nil {
		return
	}
	for call := range t.calls {
		call()
	}
	// A goroutine that is locked to its thread when it ends takes it along, and
	// the mutexes that the thread owns are abandoned.
	if !t.abandons {
		runtime.UnlockOSThread()
	}
}

// do has the thread call a function.
func (t *thread) do(call func()) {
	done := make(chan struct{})
	t.calls <- func() {
		call()
		close(done)
	}
	<-done
}

// wait waits on the thread for one or all of the objects, as long as ctx goes
// on.
func (t *thread) wait(ctx context.Context, handles []sys.Handle, all bool) (satisfied, error) {
	var event uint32
	var err error
	if ctx.Err() != nil {
		t.do(func() { event, err = sys.WaitForMultipleObjects(handles, all, 0, false) })
	} else {
		event, err = t.waitAlertably(ctx, handles, all)
	}
	if err != nil {
		return satisfied{}, err
	}
	if event == sys.WAIT_TIMEOUT {
		return satisfied{}, context.Cause(ctx)
	}
	race.Acquire()
	return satisfiedBy(event), nil
}

func (t *thread) waitAlertably(
	ctx context.Context, handles []sys.Handle, all bool,
) (event uint32, err error) {
	var ended atomic.Bool
	alerted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		ended.Store(true)
		_ = sys.Alert(t.handle)
		close(alerted)
	})
	t.do(func() {
		for {
			event, err = sys.WaitForMultipleObjects(handles, all, sys.INFINITE, true)
			if event != sys.WAIT_IO_COMPLETION {
				return
			}
			if ended.Load() { // otherwise it was the alert to a wait before this one
				event, err = sys.WaitForMultipleObjects(handles, all, 0, false)
				return
			}
		}
	})
	if !stop() {
		<-alerted
	}
	return event, err
}

// keep returns what a wait on the thread took. Unless there are mutexes among
// that, the thread is idle then.
func (t *thread) keep(objects []*Sync, abandoned bool) []Taken {
	all := make([]Taken, len(objects))
	for i, s := range objects {
		if s.kind == object.Mutex {
			all[i] = Taken{abandoned, &ownership{thread: t}}
			t.owned++
		}
	}
	if t.owned == 0 {
		threads.put(t)
		return all
	}
	for i, s := range objects {
		if s.kind == object.Mutex {
			s.own(all[i].hold)
		}
	}
	return all
}

// own makes the ownership this handle's. If the handle was closed meanwhile,
// the mutex is abandoned at once.
func (s *Sync) own(o *ownership) {
	s.mu.Lock()
	s.held = o
	closed := s.closed
	s.mu.Unlock()
	if closed {
		o.thread.abandon()
	}
}

// abandon makes the mutexes that the thread owns abandoned once none of them
// is held any more: all those of one wait share its thread.
func (t *thread) abandon() {
	t.mu.Lock()
	t.abandons = true
	t.mu.Unlock()
	t.disown()
}

// disown counts a mutex less, and ends the use of the thread with the last.
func (t *thread) disown() {
	t.mu.Lock()
	t.owned--
	owned, abandons := t.owned, t.abandons
	t.mu.Unlock()
	switch {
	case owned > 0:
	case abandons:
		threads.bury(t)
	default:
		threads.put(t)
	}
}

// CreateLocked makes a new mutex that the handle has locked.
func CreateLocked(spec SyncSpec) (*Sync, Taken, error) {
	descriptor, err := syncDescriptor(spec.Security)
	if err != nil {
		return nil, Taken{}, err
	}
	t, err := threads.take()
	if err != nil {
		return nil, Taken{}, err
	}
	var handle sys.Handle
	t.do(func() { handle, err = sys.CreateMutex(descriptor, true, win32Name(spec.Name)) })
	s, err := spec.created(handle, err)
	if err != nil {
		threads.put(t)
		return nil, Taken{}, err
	}
	return s, t.keep([]*Sync{s}, false)[0], nil
}

// TryLock returns false: the system has no shorter way than Wait.
func (s *Sync) TryLock() (Taken, bool) { return Taken{}, false }

// Unlock implements the contract.
func (s *Sync) Unlock(taken Taken) error {
	last, err := s.unlockOnce(taken.hold)
	if !last || err != nil {
		return err
	}
	defer s.unuse()
	race.Release()
	t := taken.hold.thread
	t.do(func() { err = sys.ReleaseMutex(s.handle) })
	if err != nil {
		t.abandon() // whatever the thread may still own
		return explain(err)
	}
	t.disown()
	return nil
}

// unlockOnce reports whether this was the last Unlock of the hold. The caller
// has the use of the handle then.
func (s *Sync) unlockOnce(o *ownership) (last bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case o == nil:
		return false, object.ErrNotOwner
	case s.closed:
		return false, os.ErrClosed
	case o.ended:
		return false, object.ErrNotOwner
	case o.depth > 0:
		o.depth--
		return false, nil
	}
	o.ended, s.held = true, nil
	s.users++
	return true, nil
}

// Relock implements the contract.
func (s *Sync) Relock(taken Taken) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return os.ErrClosed
	case taken.hold == nil || taken.hold.ended:
		return object.ErrNotOwner
	}
	taken.hold.depth++
	return nil
}
