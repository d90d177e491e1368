package sys

import (
	"os"

	"golang.org/x/sys/unix"
)

// DescriptorAccess returns what a descriptor is open for.
func DescriptorAccess(fd int) (readable, writable bool, err error) {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil || flags&unix.O_PATH != 0 {
		return false, false, err
	}
	mode := flags & unix.O_ACCMODE
	return mode != unix.O_WRONLY, mode != unix.O_RDONLY, nil
}

// DescriptorPath returns the path of an open file as proc(5) has it: another file
// may be there by now.
func DescriptorPath(fd int) (string, error) { return os.Readlink(procPath(fd)) }

// Read reads at the position of an open file, and moves it on in one step:
// another process that has the same description gets other bytes.
func Read(fd int, p []byte) (n int, err error) {
	err = retry(func() error {
		n, err = unix.Read(fd, p)
		return err
	})
	return n, err
}

// SeekEnd sets the position of an open file, counted from its end.
func SeekEnd(fd int, offset int64) (int64, error) { return unix.Seek(fd, offset, unix.SEEK_END) }

// Inherited reports whether a descriptor is open and came with the start of this
// process: the ones that Go programs open themselves are closed on exec.
func Inherited(fd int) bool {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err == nil && flags&unix.FD_CLOEXEC == 0
}

// CloseOnExec keeps a descriptor from further programs.
func CloseOnExec(fd int) { unix.CloseOnExec(fd) }
