package kernel

import (
	"os"
	"os/exec"
	"syscall"

	"github.com/filemap-go/filemap/internal/sys"
)

// Share has the process that cmd starts hold what this handle holds too, and
// die with this one. The system takes a process's locks away before it tells
// its children of its death; the child has the file open as well, so the lock
// is there until it is dead. The caller calls started after cmd.Start.
func (s *Sync) Share(cmd *exec.Cmd) (started func() error, err error) {
	if err := s.Sync.Share(); err != nil {
		return nil, err
	}
	fd, err := sys.Dup(int(s.FD()))
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), "lock")
	cmd.ExtraFiles = append(cmd.ExtraFiles, file)
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	return file.Close, nil
}
