package kernel

import (
	"errors"
	"os"
	"os/exec"
	"syscall"

	"github.com/filemap-go/filemap/internal/sys"
)

// Start implements the contract. The command starts suspended, and runs once it is
// a member. A process that is killed between these steps leaves it suspended.
func (j *Job) Start(cmd *exec.Cmd) error {
	return j.with(sys.JOB_OBJECT_ASSIGN_PROCESS, func(job sys.Handle) error {
		if err := startSuspended(cmd); err != nil {
			return err
		}
		err := assign(job, cmd.Process)
		if err == nil && !suspended(cmd.SysProcAttr) {
			err = withProcess(cmd.Process, sys.ResumeProcess)
		}
		if err == nil || errors.Is(err, os.ErrProcessDone) {
			return nil // one that was killed meanwhile, cmd.Wait reports
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return err
	})
}

// StartHolding starts a command in a job of its own. The command can't hold the lock
// itself.
func StartHolding(_ *Sync, cmd *exec.Cmd) (*Job, error) {
	j, err := CreateJob(JobSpec{})
	if err != nil {
		return nil, err
	}
	if err := j.Start(cmd); err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return j, nil
}

// startSuspended is cmd.Start for a process that does not run yet.
func startSuspended(cmd *exec.Cmd) error {
	callers := cmd.SysProcAttr
	defer func() { cmd.SysProcAttr = callers }()
	var attributes syscall.SysProcAttr
	if callers != nil {
		attributes = *callers
	}
	attributes.CreationFlags |= sys.CREATE_SUSPENDED
	cmd.SysProcAttr = &attributes
	return cmd.Start()
}

// suspended reports whether a caller itself asked for a suspended process.
func suspended(attributes *syscall.SysProcAttr) bool {
	return attributes != nil && attributes.CreationFlags&sys.CREATE_SUSPENDED != 0
}

// Add implements the contract.
func (j *Job) Add(process *os.Process) error {
	return j.with(sys.JOB_OBJECT_ASSIGN_PROCESS, func(job sys.Handle) error {
		return assign(job, process)
	})
}

// assign makes a process a member of a job. Its own handle may lack the rights.
func assign(job sys.Handle, process *os.Process) error {
	return withProcess(process, func(h sys.Handle) error {
		own, err := sys.DuplicateFor(h, sys.PROCESS_SET_QUOTA|sys.PROCESS_TERMINATE)
		if err != nil {
			return err
		}
		defer sys.CloseHandle(own)
		return sys.AssignProcessToJobObject(job, own)
	})
}

// withProcess calls a function with a process's handle. If that fails because the
// process has ended, the error is os.ErrProcessDone.
func withProcess(process *os.Process, call func(sys.Handle) error) error {
	var called error
	err := process.WithHandle(func(h uintptr) {
		called = call(sys.Handle(h))
		if called != nil && ended(sys.Handle(h)) {
			called = os.ErrProcessDone
		}
	})
	if err != nil {
		return err
	}
	return called
}

// ended reports whether a process has ended.
func ended(process sys.Handle) bool {
	event, err := sys.WaitForMultipleObjects([]sys.Handle{process}, false, 0, false)
	return err == nil && event != sys.WAIT_TIMEOUT
}
