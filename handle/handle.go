// Package handle passes handles to filemap's objects from one process to another:
// to a child ([Inherit]), over a unix socket ([Send]), or into another process
// ([Duplicate]). So processes share an object that has no name, and that no
// process can reach that was not given a handle.
//
// A handle travels as an [os.File], which the File method of a
// [github.com/filemap-go/filemap.Mapping] or of an object of package waitable
// returns, and of which FromFile, MutexFromFile and the like make an object again.
// The object lives while the file is open anywhere.
//
// On Linux a file is a descriptor, on Windows a handle of the system's object:
// programs in any language can pass and receive them.
package handle

import (
	"os"
	"os/exec"

	"github.com/filemap-go/filemap/internal/kernel"
	"github.com/filemap-go/filemap/object"
)

// Inherit has the process that cmd.Start will start inherit an open file. The
// caller tells the child the returned text, in its arguments or its environment,
// and the child passes it to [Open]. It is the decimal number of the descriptor,
// on Windows of the HANDLE, in the child. The caller closes f after cmd.Start, and
// does not change the order of cmd.ExtraFiles.
func Inherit(cmd *exec.Cmd, f *os.File) (ref string, err error) {
	ref, err = kernel.Inherit(cmd, f)
	return ref, failed("inherit", err)
}

// Open returns the open file that a parent passed to this process by [Inherit], or
// another process by [Duplicate]. It is called once for each file: the file is the
// caller's to close. Programs that this process starts do not inherit it again.
//
// Returns fs.ErrInvalid if ref is not the text of a file that was passed on.
func Open(ref string) (*os.File, error) {
	f, err := kernel.OpenPassed(ref)
	return f, failed("open", err)
}

// Duplicate puts an open file into another process of this user. It returns the
// text that the other process, if it is told it, passes to [Open]: the decimal
// number of the HANDLE there. If it never does, the object lives as long as that
// process.
//
// Returns fs.ErrPermission if this process may not do that to the other one, or
// that has ended. See DuplicateHandle of Win32. Linux has no such thing,
// errors.ErrUnsupported: see [Send].
func Duplicate(f *os.File, to *os.Process) (ref string, err error) {
	ref, err = kernel.Duplicate(f, to)
	return ref, failed("duplicate", err)
}

func failed(op string, err error) error {
	if err == nil {
		return nil
	}
	return &object.Error{Op: op + " handle", Err: err}
}
