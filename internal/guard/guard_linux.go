package guard

import (
	"os"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/filemap-go/filemap/internal/sys"
)

// guard is what both guards are: a subreaper that kills its descendants when the
// job ends.
type guard struct {
	Setup
	page []byte // the job's: another user may truncate it

	reaped func(pid int, status syscall.WaitStatus) // called for each child that ended

	mu      sync.Mutex // held where children are reaped
	killing bool
	command int // process id, until it is reaped
	inner   int // of the outer guard: the inner one's process id, until it is reaped
	outer   int // of the inner guard: the outer one's
	group   int // the directory of the cgroup that the command starts in, or noGroup
}

func newGuard(s Setup) (*guard, error) {
	g := &guard{Setup: s, reaped: func(int, syscall.WaitStatus) {}}
	sys.SetName("filemap-guard")
	var err error
	if g.page, err = sys.Mmap(s.Descriptor, 0, os.Getpagesize(), sys.ProtRead|sys.ProtWrite, false, 0); err != nil {
		return nil, err
	}
	if err := sys.LockByteForProcess(s.Descriptor, s.Byte(os.Getpid())); err != nil {
		return nil, err
	}
	if err := g.openGroup(); err != nil {
		return nil, err
	}
	return g, sys.BecomeSubreaper()
}

// touch calls f, which touches the page, and reports whether the page was there.
func touch(f func()) (ok bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { ok = recover() == nil }()
	f()
	return
}

// Lock implements Job.
func (g *guard) Lock() error { return sys.Flock(g.Descriptor) }

// Unlock implements Job.
func (g *guard) Unlock() { _ = sys.Unflock(g.Descriptor) }

// HasHandle implements Job.
func (g *guard) HasHandle() bool {
	locked, err := sys.ByteLocked(g.Descriptor, g.HandleByte)
	return locked || err != nil
}

// IsNamed implements Job.
func (g *guard) IsNamed() bool {
	if g.Name == "" {
		return false
	}
	own, err := sys.Fstat(g.Descriptor)
	if err != nil {
		return false
	}
	named, err := sys.Lstat(g.Name)
	return err == nil && named.Dev == own.Dev && named.Ino == own.Ino
}

// Unlink implements Job.
func (g *guard) Unlink() { _ = sys.Unlink(g.Name) }

// Pause implements Job.
func (g *guard) Pause() { time.Sleep(time.Millisecond) }

// State implements Job.
func (g *guard) State() (low uint32) {
	touch(func() { low = uint32(sys.Word64(g.page, g.StateAt).Load()) })
	return low
}

// Stopped implements Job: also if the page is gone.
func (g *guard) Stopped() bool {
	stop := g.Stop
	ok := touch(func() { stop = sys.Word64(g.page, g.StopAt).Load() })
	return !ok || stop != g.Stop
}

// Sleep implements Job.
func (g *guard) Sleep(state uint32) {
	const hour = 3600e9
	sys.FutexWait(g.futex(), state, hour)
}

func (g *guard) futex() sys.Futex { return sys.SharedFutex(sys.Word64(g.page, g.StateAt)) }

// UnlockByte implements Job.
func (g *guard) UnlockByte() { _ = sys.UnlockByteForProcess(g.Descriptor, g.Byte(os.Getpid())) }

// Announce implements Job.
func (g *guard) Announce() {
	touch(func() { ChangeState(sys.Word64(g.page, g.StateAt)) })
	sys.FutexWake(g.futex())
}

// end is End, and removes the cgroup before, where the system lets it.
func (g *guard) end() {
	g.removeGroup()
	End(g)
}

// watch has the members killed when the job ends, or calls leave where they are to
// be left alone.
func (g *guard) watch(leave func()) {
	go func() {
		AwaitLastHandle(g)
		if g.Leave {
			leave()
			return
		}
		g.killGroup()
		g.kill()
	}()
	go func() {
		AwaitStop(g)
		g.killGroup()
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
