package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strconv"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// Inherit has the process that cmd will start inherit an open file, and returns
// the number of its descriptor there.
func Inherit(cmd *exec.Cmd, f *os.File) (ref string, err error) {
	const standard = 3 // input, output and error
	cmd.ExtraFiles = append(cmd.ExtraFiles, f)
	return strconv.Itoa(standard + len(cmd.ExtraFiles) - 1), nil
}

// OpenPassed returns the open file of a descriptor that this process inherited.
func OpenPassed(ref string) (*os.File, error) {
	fd, err := strconv.ParseUint(ref, 10, 31)
	if err != nil {
		return nil, object.Explain(fs.ErrInvalid, fmt.Sprintf("%q is not the number of a descriptor", ref))
	}
	if !sys.Inherited(int(fd)) {
		return nil, object.Explain(fs.ErrInvalid, fmt.Sprintf(
			"this process inherited no descriptor %d, or has opened it before", fd))
	}
	sys.CloseOnExec(int(fd))
	return os.NewFile(uintptr(fd), exportedName), nil
}

// Duplicate returns errors.ErrUnsupported: on Linux a process gives handles away
// by a socket.
func Duplicate(*os.File, *os.Process) (ref string, err error) {
	return "", object.Explain(errors.ErrUnsupported,
		"Linux puts no handles into other processes: send them over a unix socket")
}
