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

// hasHandle reports whether some process has a handle to the job.
func (g *guard) hasHandle() bool {
	locked, err := sys.ByteLocked(g.Descriptor, g.HandleByte)
	return locked || err != nil
}

// watchHandles returns when the last handle to the job is gone. The system wakes
// it: each handle has a shared lock of the file.
func (g *guard) watchHandles() {
	for {
		if err := sys.Flock(g.Descriptor); err != nil {
			return // without locks there can be no handles
		}
		dead := !g.hasHandle()
		if dead {
			g.removeName()
		}
		_ = sys.Unflock(g.Descriptor) // before the killing: others wait for this lock
		if dead {
			return
		}
		// A process changes its lock for another, which takes two steps.
		time.Sleep(time.Millisecond)
	}
}

// removeName takes the dead job's name away, if it still leads to it.
func (g *guard) removeName() {
	if g.Name == "" {
		return
	}
	own, err := sys.Fstat(g.Descriptor)
	if err != nil {
		return
	}
	if named, err := sys.Lstat(g.Name); err == nil && named.Dev == own.Dev && named.Ino == own.Ino {
		_ = sys.Unlink(g.Name)
	}
}

// stopped reports whether somebody has terminated the job since the command was to
// start, or its page is gone.
func (g *guard) stopped() bool {
	stop := g.Stop
	ok := touch(func() { stop = sys.Word64(g.page, g.StopAt).Load() })
	return !ok || stop != g.Stop
}

// watchStop returns when somebody has terminated the job, or its page is gone.
func (g *guard) watchStop() {
	word := sys.SharedFutex(sys.Word64(g.page, g.StateAt))
	for {
		var state uint64
		touch(func() { state = sys.Word64(g.page, g.StateAt).Load() }) // before the look
		if g.stopped() {
			return
		}
		const hour = 3600e9
		sys.FutexWait(word, uint32(state), hour)
	}
}

// announce wakes the waits for the job's end.
func (g *guard) announce() {
	const waiters, change = 1 << 31, 1
	touch(func() {
		state := sys.Word64(g.page, g.StateAt)
		for {
			old := state.Load()
			next := old&^(1<<32-1) | (old+change)&(waiters-1)
			if state.CompareAndSwap(old, next) {
				return
			}
		}
	})
	sys.FutexWake(sys.SharedFutex(sys.Word64(g.page, g.StateAt)))
}

// end gives the guard's lock up, and with the last one of the job's guards the job
// is empty.
func (g *guard) end() {
	g.removeGroup()
	_ = sys.UnlockByteForProcess(g.Descriptor, g.Byte(os.Getpid()))
	g.announce()
}

// watch has the members killed when the job ends, or calls leave where they are to
// be left alone.
func (g *guard) watch(leave func()) {
	go func() {
		g.watchHandles()
		if g.Leave {
			leave()
			return
		}
		g.killGroup()
		g.kill()
	}()
	go func() {
		g.watchStop()
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
