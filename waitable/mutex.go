package waitable

import (
	"context"
	"errors"

	"github.com/filemap-go/filemap/internal/kernel"
	"github.com/filemap-go/filemap/object"
)

// Mutex is a handle to a lock that one holder in all processes has at a time.
// If the holder's process dies, however it does, the next one gets the lock
// and is told.
//
// The lock belongs to the [Hold] that locking returns, not to a goroutine or a
// thread: any goroutine may unlock it.
//
// # Linux notes
//
// If another program removes the mutex's file, as rm(1) and logind do, its name
// is free, and a process that creates the name again has a lock of its own. A
// mutex whose name was removed can't be locked any more, and Unlock tells a
// holder: both return object.ErrNameLost. Each Lock and Unlock looks, except for
// up to 50 ms after each 64th look, so that busy locks stay fast.
type Mutex struct{ *handle }

// MutexOptions are the options of [CreateMutex]. The zero value stands for the
// defaults.
type MutexOptions struct {
	// Security says who else may use the mutex; nil is for nobody, on Windows
	// for whom the system's default admits.
	Security *Security
}

func (o *MutexOptions) spec() kernel.SyncSpec {
	spec := kernel.SyncSpec{Kind: object.Mutex}
	if o != nil {
		spec.Security = o.Security
	}
	return spec
}

// CreateMutex makes a mutex that nobody holds. An empty name makes one that
// nobody else can open.
//
// Returns fs.ErrExist if a mutex has the name, object.ErrWrongKind if another
// object has it, and fs.ErrPermission if it is another user's.
//
// See CreateMutex of Win32.
func CreateMutex(name string, opts *MutexOptions) (*Mutex, error) {
	h, err := create(name, opts.spec())
	if err != nil {
		return nil, err
	}
	return &Mutex{h}, nil
}

// OpenMutex opens a mutex that some process has open.
//
// Returns fs.ErrNotExist if no object has the name, and object.ErrWrongKind if
// it is no mutex.
func OpenMutex(name string) (*Mutex, error) {
	h, err := open(name, object.Mutex)
	if err != nil {
		return nil, err
	}
	return &Mutex{h}, nil
}

// OpenOrCreateMutex opens a mutex, or makes it if there is none, and reports
// which.
func OpenOrCreateMutex(name string, opts *MutexOptions) (m *Mutex, created bool, err error) {
	h, created, err := openOrCreate(name, opts.spec())
	if err != nil {
		return nil, false, err
	}
	return &Mutex{h}, created, nil
}

// Hold is a locked mutex. It is a small value: copies of it are the same hold.
type Hold struct {
	mutex *Mutex
	taken kernel.Taken
}

// Lock waits until nobody holds the mutex, and locks it. It allocates nothing
// and, where nobody holds the mutex, makes no system call on Linux.
//
// The lock is also granted if its last holder died with it: [Hold.Abandoned]
// tells, and what the mutex protects may then be half changed.
//
// A goroutine that locks a mutex it holds already waits for itself: see
// [Hold.Relock].
//
// If ctx ends first, the error wraps context.Cause(ctx). Returns
// object.ErrNameLost, and does not lock, if the mutex's name was removed.
func (m *Mutex) Lock(ctx context.Context) (Hold, error) {
	taken, ok := m.kernel.TryLock()
	if !ok {
		var err error
		if taken, err = m.wait(ctx, "lock"); err != nil {
			return Hold{}, err
		}
	}
	if err := m.kernel.SpotCheck(); err != nil {
		return Hold{}, m.undo(taken, err)
	}
	return Hold{m, taken}, nil
}

// undo unlocks a mutex that was just locked and turned out to have lost its
// name.
func (m *Mutex) undo(taken kernel.Taken, err error) error {
	return m.failed("lock", errors.Join(err, m.kernel.Unlock(taken)))
}

// TryLock locks the mutex if nobody holds it, and reports whether it did.
func (m *Mutex) TryLock() (hold Hold, locked bool, err error) {
	taken, ok := m.kernel.TryLock()
	if !ok {
		if taken, ok, err = m.try("lock"); !ok {
			return Hold{}, false, err
		}
	}
	if err := m.kernel.SpotCheck(); err != nil {
		return Hold{}, false, m.undo(taken, err)
	}
	return Hold{m, taken}, true, nil
}

// Abandoned reports whether the last holder died, or closed its handle,
// without unlocking. It is told once, to the first who locks the mutex then.
func (h Hold) Abandoned() bool { return h.taken.Abandoned }

// Unlock ends the hold.
//
// Returns object.ErrNotOwner if it has ended before, and object.ErrNameLost if
// the mutex's name was removed meanwhile: the hold has ended, but another
// process may have held a lock of the same name beside it.
func (h Hold) Unlock() error {
	if h.mutex == nil {
		return &object.Error{Op: "unlock", Kind: object.Mutex, Err: object.ErrNotOwner}
	}
	err := h.mutex.kernel.Unlock(h.taken)
	if err == nil {
		err = h.mutex.kernel.SpotCheck()
	}
	if err != nil {
		return h.mutex.failed("unlock", err)
	}
	return nil
}

// Relock locks the mutex once more for who holds it already, as Windows does
// for a thread. The hold ends with as many calls of Unlock as there were locks.
// One goroutine at a time may call Relock and Unlock of a hold.
//
// Returns object.ErrNotOwner if the hold has ended.
func (h Hold) Relock() error {
	if h.mutex == nil {
		return &object.Error{Op: "lock", Kind: object.Mutex, Err: object.ErrNotOwner}
	}
	return h.mutex.check("lock", h.mutex.kernel.Relock(h.taken))
}

// Close gives the handle up. With the last one in any process the mutex is gone.
// Waits through this handle end with os.ErrClosed, and if it holds the mutex, the
// next owner is told that it was abandoned. A second Close returns os.ErrClosed.
//
// A handle that the program no longer refers to, and no [Hold] of it either, is
// closed by the garbage collector some time later, as an [os.File] is.
func (m *Mutex) Close() error { return m.close() }
