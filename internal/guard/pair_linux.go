package guard

import (
	"encoding/binary"
	"os"
	"syscall"

	"github.com/filemap-go/filemap/internal/sys"
)

// executeInner executes this program as the inner one of a pair. That has one more
// descriptor, or none, and not the report's.
func (s Setup) executeInner(name, path string, command []string, more ...int) (pid int, err error) {
	files := s.inherited()
	for _, fd := range append(s.own(), more...) {
		files = append(files, uintptr(fd))
	}
	files[s.report()] = noFile
	return syscall.ForkExec("/proc/self/exe", s.arguments(name, path, command),
		&syscall.ProcAttr{Env: os.Environ(), Files: files})
}

const noFile = ^uintptr(0)

// inherited returns the descriptors that are the command's: all below the guards'
// own.
func (s Setup) inherited() (files []uintptr) {
	for fd := range s.Descriptor {
		file := uintptr(fd)
		if !sys.Inherited(fd) {
			file = noFile
		}
		files = append(files, file)
	}
	return files
}

// reportStart tells the holder how the start went, and returns the exit code of a
// process for which it went wrong.
func (s Setup) reportStart(err error) int {
	_, _ = syscall.Write(s.report(), binary.LittleEndian.AppendUint32(nil, uint32(errno(err))))
	_ = syscall.Close(s.report())
	return exitFailed
}

// errno returns the number that stands for an error on the way to the holder.
func errno(err error) syscall.Errno {
	if err == nil {
		return 0
	}
	if number, ok := err.(syscall.Errno); ok && number != 0 {
		return number
	}
	return syscall.EIO
}
