package waitable

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/filemap-go/filemap/internal/kernel"
	"github.com/filemap-go/filemap/object"
)

// Instance is the right of this process to be the only one of its name.
type Instance struct {
	mutex *Mutex
	hold  Hold
}

const (
	// singleAttempts is how often Single tries a name that a process has open
	// without having locked it: inspection opens a mutex for an instant.
	singleAttempts = 10
	singlePause    = 2 * time.Millisecond
)

// Single makes this process the only one of a name, such as Local\MyProgram
// for one process per user or Global\MyProgram for one per machine, until the
// Instance is closed or the process ends, however it ends.
//
// The name is that of a mutex. The process that creates it is the running
// instance, as for Windows programs that call CreateMutex and check for
// ERROR_ALREADY_EXISTS. It also locks the mutex, for programs that check that. If
// any process, even this one, has the mutex open, an instance is running.
//
// Returns fs.ErrExist if the mutex exists. The error says which process has it
// locked.
func Single(name string, opts *MutexOptions) (*Instance, error) {
	for attempt := 1; ; attempt++ {
		mutex, hold, err := CreateLockedMutex(name, opts)
		if err == nil {
			return &Instance{mutex, hold}, nil
		}
		if !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrPermission) {
			return nil, err
		}
		info, lookErr := look(name)
		switch {
		case lookErr == nil && (attempt == singleAttempts || !info.State.Signaled):
			return nil, startFailed("create", name, object.Mutex, alreadyRunning(info.State.Owner))
		case attempt == singleAttempts || lookErr != nil && errors.Is(err, fs.ErrPermission):
			return nil, err
		}
		time.Sleep(singlePause)
	}
}

// look returns what is to be seen of a mutex.
func look(name string) (kernel.Info, error) {
	parsed, err := parseName(name)
	if err != nil {
		return kernel.Info{}, err
	}
	return kernel.Look(context.Background(), parsed)
}

// alreadyRunning returns an error that says which process has a mutex locked, as
// far as the system tells.
func alreadyRunning(owner int) error {
	process := "another process"
	if owner != 0 {
		process = fmt.Sprintf("process %d", owner)
		if program := kernel.Executable(owner); program != "" {
			process += " (" + filepath.Base(program) + ")"
		}
	}
	return object.Explain(object.ErrExist, process+" is running under this name")
}

// Close ends the right: another process can then be the running instance.
func (i *Instance) Close() error {
	return errors.Join(i.hold.Unlock(), i.mutex.Close())
}
