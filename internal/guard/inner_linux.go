package guard

import (
	"encoding/binary"
	"os"
	"syscall"

	"github.com/filemap-go/filemap/internal/sys"
)

// What the inner guard says to the outer one: a kind and a number.
const (
	saysStarted = 'S' // the command's process id
	saysFailed  = 'F' // the error for which it was not started
	saysEnded   = 'E' // the command's wait status
	saysLast    = 'L' // the same, of a command that left no other members
)

// runInner is the life of the inner guard. It returns its exit code.
func runInner(s Setup, path string, command []string) int {
	for _, fd := range append(s.own(), s.socket()) {
		syscall.CloseOnExec(fd)
	}
	g, err := newGuard(s)
	if err != nil {
		return s.fail(err)
	}
	catch()             // not ignored: the command would inherit that
	if !g.HasHandle() { // its holder was killed meanwhile
		return s.fail(syscall.ESRCH)
	}
	g.command, err = syscall.ForkExec(path, command, &syscall.ProcAttr{Env: os.Environ(), Files: g.inherited()})
	if err != nil {
		return s.fail(err)
	}
	started := g.command
	g.reaped = func(pid int, status syscall.WaitStatus) {
		switch {
		case pid != started:
		case len(sys.Children(os.Getpid())) > 0:
			g.say(saysEnded, uint32(status))
		default:
			g.say(saysLast, uint32(status))
		}
	}
	g.say(saysStarted, uint32(started))
	// Out of the reach of the terminal's keys. A group of its own would not do: the
	// end of a member, the child of another group of its session, would be that of a
	// shell's job, and hang up the whole group if that is orphaned and has a stopped
	// process: setpgid(2).
	_, _ = syscall.Setsid()
	g.silence()
	g.watch(func() {
		End(g)
		os.Exit(0)
	})
	go g.obey()
	g.reap()
	End(g)
	return 0
}

// fail tells the outer guard why the command was not started, and returns the exit
// code.
func (s Setup) fail(err error) int {
	s.say(saysFailed, uint32(errno(err)))
	return exitFailed
}

// say tells the outer guard something. It may be dead.
func (s Setup) say(kind byte, number uint32) {
	_ = syscall.Sendto(s.socket(), binary.LittleEndian.AppendUint32([]byte{kind}, number), syscall.MSG_NOSIGNAL, nil)
}

// obey passes on the signals that the outer guard was sent. If that is killed, the
// holder has killed the command, as it thinks: so be it.
func (g *guard) obey() {
	message := make([]byte, 1)
	for {
		n, err := syscall.Read(g.socket(), message)
		switch {
		case err == syscall.EINTR:
		case err != nil || n == 0:
			g.signal(syscall.SIGKILL)
			return
		default:
			g.signal(syscall.Signal(message[0]))
		}
	}
}
