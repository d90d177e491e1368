package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// Inherit has the process that cmd will start inherit an open file, and returns
// the value of its handle there.
func Inherit(cmd *exec.Cmd, f *os.File) (ref string, err error) {
	handle := sys.Handle(f.Fd())
	if err := sys.MakeInheritable(handle, true); err != nil {
		return "", err
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	inherited := &cmd.SysProcAttr.AdditionalInheritedHandles
	*inherited = append(*inherited, syscall.Handle(handle))
	return formatHandle(handle), nil
}

// OpenPassed returns the open file of a handle that this process inherited, or
// that another process made here.
func OpenPassed(ref string) (*os.File, error) {
	value, err := strconv.ParseUint(ref, 10, 32) // handles have 32 bits that count
	if err != nil {
		return nil, object.Explain(fs.ErrInvalid, fmt.Sprintf("%q is not the value of a handle", ref))
	}
	if err := sys.MakeInheritable(sys.Handle(value), false); err != nil {
		return nil, object.Explain(fs.ErrInvalid, fmt.Sprintf("this process has no handle %d", value))
	}
	return os.NewFile(uintptr(value), exportedName), nil
}

// Duplicate makes a handle in another process, and returns its value there.
func Duplicate(f *os.File, to *os.Process) (ref string, err error) {
	var there sys.Handle
	var duplicated error
	err = to.WithHandle(func(process uintptr) {
		there, duplicated = sys.DuplicateHandleTo(sys.Handle(f.Fd()), sys.Handle(process))
	})
	if err = errors.Join(err, explain(duplicated)); err != nil {
		return "", err
	}
	return formatHandle(there), nil
}

func formatHandle(h sys.Handle) string { return strconv.FormatUint(uint64(h), 10) }
