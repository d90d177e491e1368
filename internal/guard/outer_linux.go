package guard

import (
	"encoding/binary"
	"os"
	"syscall"
	"time"

	"github.com/filemap-go/filemap/internal/sys"
)

// outer is the outer guard. Its events are handled one after the other.
type outer struct {
	*guard
	socket   int // its end of the socket
	ended    chan ending
	said     chan message
	signals  <-chan os.Signal
	reported bool // to the holder, how the start went
}

// ending is the end of a child.
type ending struct {
	pid    int
	status syscall.WaitStatus
}

type message struct {
	kind   byte
	number uint32
}

func (m message) isAboutStart() bool { return m.kind == saysStarted || m.kind == saysFailed }

// runOuter is the life of the outer guard. It returns its exit code.
func runOuter(s Setup, path string, command []string) int {
	for _, fd := range s.own() {
		syscall.CloseOnExec(fd)
	}
	g, err := newGuard(s)
	if err != nil {
		return s.reportStart(err)
	}
	o := &outer{
		guard: g, ended: make(chan ending), said: make(chan message),
		signals: catch(),
	}
	o.reaped = func(pid int, status syscall.WaitStatus) { o.ended <- ending{pid, status} }
	if err := o.startInner(path, command); err != nil {
		return s.reportStart(err)
	}
	o.silence()
	go o.listen()
	none := make(chan struct{})
	go func() {
		o.reap()
		close(none)
	}()
	return o.live(none)
}

func (o *outer) startInner(path string, command []string) error {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	o.socket = pair[0]
	o.inner, err = o.executeInner(innerName, path, command, pair[1]) // does not report: see heard
	_ = syscall.Close(pair[1])
	return err
}

// listen passes on what the inner guard says, until that has ended.
func (o *outer) listen() {
	defer close(o.said)
	said := make([]byte, 5)
	for {
		n, err := syscall.Read(o.socket, said)
		switch {
		case err == syscall.EINTR:
		case err != nil || n != len(said):
			return
		default:
			o.said <- message{said[0], binary.LittleEndian.Uint32(said[1:])}
		}
	}
}

// live stands for the command until that has ended, and guards if the inner guard
// is killed. It returns its exit code, as that of the command.
func (o *outer) live(none <-chan struct{}) int {
	var status syscall.WaitStatus
	command, said := 0, o.said
	for {
		select {
		case m, ok := <-said:
			switch {
			case !ok:
				said = nil // the inner guard has ended, or will have in a moment
			case m.isAboutStart():
				command = o.heard(m)
			default:
				return o.endAs(m)
			}
		case child := <-o.ended:
			switch child.pid {
			case o.inner:
				for m := range o.said { // what it said last
					if !m.isAboutStart() {
						End(o)
						return endAs(syscall.WaitStatus(m.number))
					}
					command = o.heard(m)
				}
				said = nil
				o.takeOver(command)
				status = child.status
			case command:
				status = child.status
			}
		case s := <-o.signals:
			o.pass(s.(syscall.Signal))
		case <-none:
			End(o)
			return endAs(status)
		}
	}
}

// heard tells the holder what the inner guard says about the start, and returns the
// command's process id, or 0. Only this guard reports: if the inner one did, it could
// be killed between the start and its report, and the command be left running though
// its start had failed.
func (o *outer) heard(m message) (command int) {
	o.reported = true
	if m.kind == saysFailed {
		o.reportStart(syscall.Errno(m.number))
		return 0
	}
	o.reportStart(nil)
	return int(m.number)
}

// endAs ends this process as the inner guard says that the command ended. The inner
// guard goes on if there are other members. If not, it ends in a moment, and is
// reaped.
func (o *outer) endAs(m message) int {
	if m.kind == saysLast {
		select {
		case <-o.ended:
		case <-time.After(time.Second):
		}
	}
	End(o)
	return endAs(syscall.WaitStatus(m.number))
}

// takeOver guards in the place of the inner guard, which was killed: its children
// are this process's now.
func (o *outer) takeOver(command int) {
	o.mu.Lock()
	o.inner = 0
	if sys.Parent(command) == os.Getpid() {
		o.command = command
	}
	o.mu.Unlock()
	o.watch(func() {}) // this process still stands for the command
	if !o.reported {   // nor will be: the holder takes the start for a failed one
		_ = syscall.Close(o.report())
		go o.kill()
	}
}

// pass passes a signal on to the command.
func (o *outer) pass(s syscall.Signal) {
	if !isForCommand(s) {
		return
	}
	o.mu.Lock()
	guarded := o.inner != 0
	o.mu.Unlock()
	if guarded {
		_ = syscall.Sendto(o.socket, []byte{byte(s)}, syscall.MSG_NOSIGNAL, nil)
		return
	}
	o.signal(s)
}

// endAs ends this process as another one ended, or returns its exit code.
func endAs(status syscall.WaitStatus) int {
	if !status.Signaled() {
		return status.ExitStatus()
	}
	sys.DieOf(status.Signal())
	const fromSignal = 128
	return fromSignal + int(status.Signal())
}
