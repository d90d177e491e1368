package kernel

import (
	"errors"
	"os/exec"

	"github.com/filemap-go/filemap/internal/sys"
)

// Share has the process that cmd starts die with this one: it becomes a member
// of a job that ends with its only handle, which this process has. The command
// itself can't hold what this process holds.
func (s *Sync) Share(cmd *exec.Cmd) (started func() error, err error) {
	job, err := sys.CreateKillOnCloseJob()
	if err != nil {
		return nil, err
	}
	return func() error {
		if cmd.Process == nil {
			return sys.CloseHandle(job) // it did not start
		}
		var assigned error
		err := cmd.Process.WithHandle(func(process uintptr) {
			assigned = sys.AssignProcessToJobObject(job, sys.Handle(process))
		})
		return errors.Join(err, assigned) // the job's handle stays until this process ends
	}, nil
}
