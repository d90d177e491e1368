package guard

import (
	"os"
	"sync"
	"syscall"

	"github.com/filemap-go/filemap/internal/sys"
)

// guard is what both guards are: a subreaper that kills its descendants when the
// job ends.
type guard struct {
	watcher

	reaped func(pid int, status syscall.WaitStatus) // called for each child that ended

	mu      sync.Mutex // held where children are reaped
	killing bool
	command int // process id, until it is reaped
	inner   int // of the outer guard: the inner one's process id, until it is reaped
}

func newGuard(s Setup) (*guard, error) {
	w, err := newWatcher(s, "filemap-guard")
	if err != nil {
		return nil, err
	}
	if err := sys.LockByteForProcess(s.Descriptor, s.Byte(os.Getpid())); err != nil {
		return nil, err
	}
	return &guard{watcher: w, reaped: func(int, syscall.WaitStatus) {}}, sys.BecomeSubreaper()
}

// UnlockByte implements Job.
func (g *guard) UnlockByte() { _ = sys.UnlockByteForProcess(g.Descriptor, g.Byte(os.Getpid())) }

// watch has the members killed when the job ends, or calls leave where they are to
// be left alone.
func (g *guard) watch(leave func()) {
	go func() {
		AwaitLastHandle(g)
		if g.Leave {
			leave()
			return
		}
		g.kill()
	}()
	go func() {
		AwaitStop(g)
		g.kill()
	}()
}

// reap waits for children until there are none. It takes the lock to reap, so
// that a number is a child's while the lock is held.
func (g *guard) reap() {
	for {
		if err := sys.AwaitChild(); err != nil {
			return
		}
		if pid, status := g.waitForOne(); pid > 0 {
			g.reaped(pid, status)
		}
	}
}

// waitForOne reaps a child that has ended, and returns its process id. If there is
// none, but a child that was stopped, it returns 0. A stopped inner guard would kill
// nobody: it is continued.
func (g *guard) waitForOne() (pid int, status syscall.WaitStatus) {
	g.mu.Lock()
	defer g.mu.Unlock()
	pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG|syscall.WUNTRACED, nil)
	switch {
	case err != nil || pid <= 0:
		return 0, 0
	case status.Stopped():
		if pid == g.inner {
			_ = syscall.Kill(pid, syscall.SIGCONT)
		}
		return 0, 0
	case pid == g.command:
		g.command = 0
	}
	return pid, status
}

// signal sends a signal to the command, unless it has ended.
func (g *guard) signal(s syscall.Signal) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.command != 0 { // not reaped, so the number is no other process's
		_ = syscall.Kill(g.command, s)
	}
}

// silence takes the standard streams, which the command has now, and the files
// that are for it alone.
func (g *guard) silence() {
	null, err := syscall.Open("/dev/null", syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	for fd := range g.Descriptor {
		if fd < 3 && err == nil {
			_ = syscall.Dup3(null, fd, 0)
			continue
		}
		_ = syscall.Close(fd)
	}
	if err == nil {
		_ = syscall.Close(null)
	}
}
