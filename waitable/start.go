package waitable

import (
	"errors"
	"io/fs"
	"os/exec"

	"github.com/filemap-go/filemap/object"
)

// Start starts a command, as cmd.Start does, that shares the lock that this
// process holds: lock is a [*Mutex] that it has locked or a [*Semaphore] from
// which it has acquired a permit. If this process dies, however it dies, the
// command is killed, and the lock is free only after that. So the command never
// runs without its lock.
//
// The caller unlocks, or releases, after cmd.Wait. It calls
// runtime.LockOSThread before Start, and stays on that thread until cmd.Wait
// has returned: on Linux the command dies with the thread that started it.
//
// A permit of a semaphore is free after this process's death only if the
// semaphore is tracked.
//
// # Linux notes
//
// The command and the programs that it starts inherit a file descriptor. After
// this process's death, programs that outlive the command keep the lock.
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
	started, err := h.kernel.Share(cmd)
	if err != nil {
		return h.failed("start", err)
	}
	if err := cmd.Start(); err != nil {
		return errors.Join(err, started())
	}
	return h.check("start", started())
}
