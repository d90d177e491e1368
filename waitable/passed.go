package waitable

import (
	"os"

	"github.com/filemap-go/filemap/internal/kernel"
	"github.com/filemap-go/filemap/object"
)

// File returns an open file that is a handle to the object by itself: to be
// passed to another process, which makes an object of it by [MutexFromFile] or
// the like, whether the object has a name or not. Package handle passes it. The
// object lives while the file is open in any process, or on its way.
//
// Each receiver needs a file of its own. The caller closes the file. Closing the
// object does not affect it, and closing it does not affect the object. No method
// of the file but Fd and Close is of use; on Windows Fd is the handle of the
// system's object.
//
// # Linux notes
//
// A process that has the file can end the use of the object for everybody by
// truncating it: waits then return object.ErrFault. A process that made an object
// with a Local name, or opened it by that name, would crash: pass files of unnamed
// objects to processes of other users.
func (h *handle) File() (*os.File, error) {
	h.closing.Lock()
	defer h.closing.Unlock()
	if h.closed {
		return nil, h.failed("export", os.ErrClosed)
	}
	f, err := h.kernel.Export()
	return f, h.check("export", err)
}

// MutexFromFile makes a mutex of an open file that a mutex's File method returned
// in this process or in another one. It trusts nothing that the file says: f may
// come from a process of any user. The mutex has its name if this process could
// open it by that name.
//
// It is the caller's responsibility to close f when finished. Closing the mutex
// does not affect f, and closing f does not affect the mutex.
//
// Returns object.ErrWrongKind if f is not one of a mutex, fs.ErrPermission if it
// is open for reading only, or another handle was made of it that can't be told
// from this one, and object.ErrCorrupt if what it says makes no sense.
func MutexFromFile(f *os.File) (*Mutex, error) {
	h, err := fromFile(f, object.Mutex)
	if err != nil {
		return nil, err
	}
	return &Mutex{h}, nil
}

// SemaphoreFromFile is [MutexFromFile] for a semaphore.
func SemaphoreFromFile(f *os.File) (*Semaphore, error) {
	h, err := fromFile(f, object.Semaphore)
	if err != nil {
		return nil, err
	}
	return &Semaphore{h}, nil
}

// EventFromFile is [MutexFromFile] for an event.
func EventFromFile(f *os.File) (*Event, error) {
	h, err := fromFile(f, object.Event)
	if err != nil {
		return nil, err
	}
	return &Event{h}, nil
}

// TimerFromFile is [MutexFromFile] for a timer.
func TimerFromFile(f *os.File) (*Timer, error) {
	h, err := fromFile(f, object.Timer)
	if err != nil {
		return nil, err
	}
	return &Timer{h}, nil
}

func fromFile(f *os.File, kind object.Kind) (*handle, error) {
	k, name, err := kernel.ReceiveSync(f, kind)
	if err != nil {
		return nil, startFailed("receive", name.String(), kind, err)
	}
	return newHandle(name, kind, k), nil
}
