package guard

import (
	"os"
	"syscall"
	"time"

	"github.com/filemap-go/filemap/internal/sys"
)

// kill kills the descendants of this process until the process ends, which it does
// when it has reaped the last one. A look that finds none proves nothing: a thread
// of this process that ends at that moment hands its children on. It returns at once
// if that goes on already.
//
// Only children are killed by number: a number is a child's until it is reaped,
// and only this process reaps them. Grandchildren are killed by a descriptor, once
// the system says that they still have the parent that they were found with. Those
// that remain become children when their parents die.
func (g *guard) kill() {
	g.mu.Lock()
	again := g.killing
	g.killing = true
	g.mu.Unlock()
	if again {
		return
	}
	const (
		breath, breathAfter = time.Millisecond, 50
		pause, pauseAfter   = 250 * time.Millisecond, 1000
	)
	for round := 0; ; round++ {
		for _, child := range sys.Children(os.Getpid()) {
			g.killTree(child, os.Getpid(), 0)
		}
		switch {
		case round > pauseAfter: // some may not be killed: they became another user's
			time.Sleep(pause)
		case round > breathAfter:
			time.Sleep(breath)
		}
	}
}

// depthMax bounds how deep a tree is followed in one round.
const depthMax = 100

// killTree kills a process and then its descendants, as far as they can be found.
// A process that is dying forks no more.
func (g *guard) killTree(pid, parent, depth int) {
	below := sys.Children(pid)
	g.killOne(pid, parent)
	if depth == depthMax {
		return
	}
	for _, child := range append(below, sys.Children(pid)...) {
		g.killTree(child, pid, depth+1)
	}
}

func (g *guard) killOne(pid, parent int) {
	if parent == os.Getpid() {
		g.killChild(pid)
		return
	}
	pidfd, err := sys.PidfdOpen(pid)
	if err != nil {
		return // ended, or Linux before 5.3: then it is killed once it is a child
	}
	defer syscall.Close(pidfd)
	if sys.Parent(pid) == parent {
		_ = sys.PidfdKill(pidfd)
	}
}

// killChild kills a child. The inner guard, which is one of the outer's, ends by
// itself.
func (g *guard) killChild(pid int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if pid == g.inner || sys.Parent(pid) != os.Getpid() { // reaped by now
		return
	}
	g.killProcessGroup(pid)
	_ = syscall.Kill(pid, syscall.SIGKILL)
}

// killProcessGroup kills the process group that a child leads: in one step, so that its
// members can't fork in between.
func (g *guard) killProcessGroup(pid int) {
	if group, err := syscall.Getpgid(pid); err == nil && group == pid {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
}
