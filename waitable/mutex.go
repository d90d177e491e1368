package waitable

import (
	"context"
	"errors"

	"github.com/filemap-go/filemap/internal/kernel"
	"github.com/filemap-go/filemap/object"
)

// Mutex is a handle to a lock that has one holder at a time, among all processes.
// If the holder's process dies, however it does, the next holder gets the lock,
// and [Hold.Abandoned] tells it.
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

// MutexOptions are the options of [CreateMutex]. The zero value has the
// defaults.
type MutexOptions struct {
	// Security says which other users may use the mutex. nil admits
	// none; on Windows it admits those that the system's default admits.
	Security *Security
}

func (o *MutexOptions) spec() kernel.SyncSpec {
	spec := kernel.SyncSpec{Kind: object.Mutex}
	if o != nil {
		spec.Security = o.Security
	}
	return spec
}

// CreateMutex creates a mutex that is not locked. A mutex with an empty name
// cannot be opened by others.
//
// Returns fs.ErrExist if a mutex has the name, object.ErrWrongKind if an object
// of another kind has it, and fs.ErrPermission if another user's object has it.
//
// See CreateMutex of Win32.
func CreateMutex(name string, opts *MutexOptions) (*Mutex, error) {
	h, err := create(name, opts.spec())
	if err != nil {
		return nil, err
	}
	return &Mutex{h}, nil
}

// CreateLockedMutex creates a mutex that is locked by the returned [Hold]: no
// other process can lock it before that hold is unlocked. A mutex with an empty
// name cannot be opened by others. The errors are those of [CreateMutex].
//
// See CreateMutex of Win32 with bInitialOwner.
func CreateLockedMutex(name string, opts *MutexOptions) (*Mutex, Hold, error) {
	var taken kernel.Taken
	h, err := createWith(name, opts.spec(), func(spec kernel.SyncSpec) (k *kernel.Sync, err error) {
		k, taken, err = kernel.CreateLocked(spec)
		return k, err
	})
	if err != nil {
		return nil, Hold{}, err
	}
	m := &Mutex{h}
	return m, Hold{m, taken}, nil
}

// OpenMutex opens a mutex that a process has open.
//
// Returns fs.ErrNotExist if no object has the name, and object.ErrWrongKind if
// the object is not a mutex.
func OpenMutex(name string) (*Mutex, error) {
	h, err := open(name, object.Mutex)
	if err != nil {
		return nil, err
	}
	return &Mutex{h}, nil
}

// OpenOrCreateMutex opens a mutex, or creates it if there is none, and reports
// which it did.
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

// Lock waits until the mutex is free, and locks it. It does not allocate. On Linux
// it makes no system call if the mutex is free.
//
// If the last holder died while holding the mutex, [Hold.Abandoned] is true: what
// the mutex protects may then be half changed.
//
// Locking a mutex that the caller already holds deadlocks: see [Hold.Relock].
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

// TryLock locks the mutex if it is free, and reports whether it did.
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
// without unlocking. Only the first hold after that reports it.
func (h Hold) Abandoned() bool { return h.taken.Abandoned }

// Unlock ends the hold.
//
// Returns os.ErrClosed if the mutex is closed, object.ErrNotOwner if the hold has
// ended before, and object.ErrNameLost if the mutex's name was removed meanwhile:
// the hold has ended, but another process may have held a lock of the same name
// beside it.
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

// Relock locks the held mutex once more, as Windows does for a thread. The hold
// ends when Unlock has been called as often as Lock and Relock. One goroutine at
// a time may call Relock and Unlock of a hold.
//
// Returns object.ErrNotOwner if the hold has ended.
func (h Hold) Relock() error {
	if h.mutex == nil {
		return &object.Error{Op: "lock", Kind: object.Mutex, Err: object.ErrNotOwner}
	}
	return h.mutex.check("lock", h.mutex.kernel.Relock(h.taken))
}

// Close closes the handle. The last Close in any process removes the mutex. Waits
// that use this handle end with os.ErrClosed. If the handle holds the mutex, the
// next holder finds it abandoned. A second Close returns os.ErrClosed.
//
// A handle that the program no longer refers to, and no [Hold] of it either, is
// closed by the garbage collector some time later, as an [os.File] is.
func (m *Mutex) Close() error { return m.close() }
