package waitable

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"sync"

	"github.com/filemap-go/filemap/internal/kernel"
	"github.com/filemap-go/filemap/object"
)

// Start starts a command, as cmd.Start does, that shares what this process has
// taken through lock, a [*Mutex] or a [*Semaphore]. If this process dies, however it
// does, the command and everything that it started are killed, and what was taken is
// free only after that. So the command never runs without its lock.
//
// The caller unlocks, or releases, after cmd.Wait. What the command has left running
// by then is killed when the handle of the lock is closed.
//
// A permit of a semaphore is free after this process's death only if the semaphore is
// tracked.
//
// # Linux notes
//
// The command runs in a cgroup or under guards, as one in a job does: see the notes of
// [github.com/filemap-go/filemap/job.Job.Start].
//
// # Windows notes
//
// The system frees a mutex a moment before it kills the command.
func Start(lock Object, cmd *exec.Cmd) error {
	h := lock.waitable()
	if h == nil || h.kind != object.Mutex && h.kind != object.Semaphore {
		return &object.Error{Op: "start", Kind: lock.Kind(), Name: lock.Name(),
			Err: object.Explain(fs.ErrInvalid, "only mutexes and semaphores can be held")}
	}
	h.closing.Lock()
	defer h.closing.Unlock()
	if h.closed {
		return h.failed("start", os.ErrClosed)
	}
	job, err := kernel.StartHolding(h.kernel, cmd)
	if err != nil {
		return h.failed("start", err)
	}
	h.started.add(job)
	return nil
}

// startedJobs are those of the commands that share what a handle has taken.
type startedJobs struct {
	mu   sync.Mutex
	jobs []*kernel.Job
}

// add keeps a job until the handle is closed, and closes those that have ended.
func (s *startedJobs) add(job *kernel.Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs = slices.DeleteFunc(s.jobs, func(old *kernel.Job) bool {
		empty, err := old.Empty()
		return err == nil && empty && old.Close() == nil
	})
	s.jobs = append(s.jobs, job)
}

// close kills what the commands have left running.
func (s *startedJobs) close() (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, job := range s.jobs {
		err = errors.Join(err, job.Close())
	}
	s.jobs = nil
	return err
}
