package kernel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// baseName returns a name without its prefix. A POSIX name is an ordinary one
// here, slash and all.
func baseName(name object.Name) string {
	if name.Scope == object.POSIX {
		return "/" + name.Base
	}
	return name.Base
}

// win32Name returns a name as Win32 takes it. Local names go without their
// prefix, which would count towards the longest name.
func win32Name(name object.Name) string {
	if name.Scope == object.Global {
		return name.String()
	}
	return baseName(name)
}

const globalDirectory = `\BaseNamedObjects`

// localDirectory is where this session's names are.
var localDirectory = sync.OnceValue(func() string {
	session, err := sys.SessionID(os.Getpid())
	if err != nil || session == 0 {
		return globalDirectory // services have no names of their own
	}
	return fmt.Sprintf(`\Sessions\%d\BaseNamedObjects`, session)
})

func directoryOf(scope object.Scope) string {
	if scope == object.Global {
		return globalDirectory
	}
	return localDirectory()
}

// NativeName returns the NT name of an object.
func NativeName(name object.Name) string {
	if name.IsZero() {
		return ""
	}
	return directoryOf(name.Scope) + `\` + baseName(name)
}

// Watch returns errors.ErrUnsupported: the system tells nobody of new names.
func Watch(object.Name) (<-chan struct{}, func(), error) {
	return nil, nil, errors.ErrUnsupported
}

// Unlink returns errors.ErrUnsupported.
func Unlink(object.Name) error {
	return object.Explain(errors.ErrUnsupported,
		"on Windows no name outlives its object's last handle")
}

// Exists reports whether some process has an object of a name open. It opens
// none: that would keep the object alive, and the name taken, for an instant.
func Exists(_ context.Context, name object.Name) (bool, error) {
	_, err := kindOf(name)
	if errors.Is(err, object.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Look returns the object of a name, without its holders.
func Look(_ context.Context, name object.Name) (Info, error) {
	kind, err := kindOf(name)
	if err != nil {
		return Info{}, err
	}
	if info, ok := describe(name, kind); ok {
		return info, nil
	}
	return Info{}, object.ErrNotExist
}

// LockedBy implements the contract.
func LockedBy(_ context.Context, name object.Name, pid int) (Info, bool, error) {
	info, ok := describe(name, object.Mutex)
	if !ok {
		return Info{}, false, object.ErrNotExist
	}
	return info, pid != 0 && info.State.Owner == pid, nil // 0 is for one that is unknown
}

// kindOf returns the kind of the object of a name, 0 for one that is not ours.
func kindOf(name object.Name) (object.Kind, error) {
	if name.IsZero() {
		return 0, ErrNoName
	}
	entries, err := readDirectory(directoryOf(name.Scope))
	if err != nil {
		return 0, err
	}
	for _, entry := range entries {
		if entry.Name == baseName(name) {
			return kinds[entry.Type], nil
		}
	}
	return 0, object.ErrNotExist
}

// OtherUser finds nobody: the users of a session share its names.
func OtherUser(context.Context, object.Name) (uid uint32, found bool) { return 0, false }

// Clean has nothing to do: the system clears away what processes leave.
func Clean() (Cleaned, error) { return Cleaned{}, nil }
