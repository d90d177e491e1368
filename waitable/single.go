package waitable

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/filemap-go/filemap/internal/kernel"
	"github.com/filemap-go/filemap/object"
)

// Instance is the right to be the one running process of its name.
type Instance struct {
	mutex *Mutex
	hold  Hold
}

// Single makes this process the only one of a name, such as Local\MyProgram
// for one process a user or Global\MyProgram for one a machine, until the
// Instance is closed or the process ends, however it does. It does not wait.
//
// Returns an error that says which process it is if there is one already: an
// fs.ErrExist.
func Single(name string, opts *MutexOptions) (*Instance, error) {
	mutex, _, err := OpenOrCreateMutex(name, opts)
	if err != nil {
		return nil, err
	}
	hold, locked, err := mutex.TryLock()
	if err == nil && !locked {
		err = mutex.failed("lock", alreadyRunning(mutex.name))
	}
	if err != nil {
		mutex.Close()
		return nil, err
	}
	return &Instance{mutex, hold}, nil
}

// alreadyRunning returns an error that says who holds a mutex, as far as the
// system tells.
func alreadyRunning(name object.Name) error {
	who := "another process"
	if info, err := kernel.Look(context.Background(), name); err == nil && info.State.Owner != 0 {
		who = fmt.Sprintf("process %d", info.State.Owner)
		if program := kernel.Executable(info.State.Owner); program != "" {
			who += " (" + filepath.Base(program) + ")"
		}
	}
	return object.Explain(object.ErrExist, who+" is running under this name")
}

// Close gives the right up.
func (i *Instance) Close() error {
	return errors.Join(i.hold.Unlock(), i.mutex.Close())
}
