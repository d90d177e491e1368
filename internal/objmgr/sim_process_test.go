package objmgr

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/filemap-go/filemap/object"
)

// process is a simulated process: a script that uses a Manager, whose Host the
// process is itself. Each call of the Host is one step, or several where the
// system's call is. Before each step the script waits for its turn.
type process struct {
	sim     *simulation
	id      int
	uid     uint32
	manager *Manager
	files   []*description // by FD; nil if closed
	made    uint64         // files

	phase phase
	quiet bool // its steps are nobody's business: it sets up
	sleeper
	paused   bool        // until another process takes a step
	ready    func() bool // if not nil, when its next step can be taken
	struck   bool        // killed, and not by a guard
	part     bool        // of another process: it is not killed alone
	atExit   func()
	waits    context.Context // ends after too many pauses
	endWaits context.CancelCauseFunc
	resume   func() (struct{}, bool) // runs the script to its next step
	stop     func()                  // ends the script where it is
	yield    func(struct{}) bool

	operation operation // the one in progress
	// locksWhatItMakes says that the operation makes a mutex that it has locked.
	locksWhatItMakes bool
	handles          []*handle
	views            []*view

	// history stands for where the script is and all its variables: it is
	// made of all that the operation in progress was told by the machine, and
	// the number of operations before.
	history    hash
	operations uint64
}

// canStep reports whether the process, or the system in its place, can go on.
func (p *process) canStep() bool {
	switch p.phase {
	case gone:
		return false
	case dying:
		return true
	}
	return !p.asleep() && (p.ready == nil || p.ready())
}

type phase uint8

const (
	running phase = iota
	dying         // killed or at its end, with locks that the system has yet to drop
	gone
)

// killed is what the script of a killed process panics with.
type killed struct{}

// How often an operation tries again: with names, and with claims, where it
// looks now and then whether the claimer lives.
const (
	pauseLimit   = 4
	contendLimit = 120
)

// start makes a process that is about to take the first step of its script.
func (s *simulation) start(uid uint32, script func(*process)) *process {
	p := &process{sim: s, id: len(s.processes), uid: uid}
	p.owner, p.namespace = uint32(p.id+1), 1
	s.processes = append(s.processes, p)
	p.manager = New(s.wrap(p))
	p.manager.janitor.last = time.Now().Add(24 * time.Hour) // cleaning is for scripts
	p.waits, p.endWaits = context.WithCancelCause(context.Background())
	p.resume, p.stop = iter.Pull(func(yield func(struct{}) bool) {
		defer func() {
			if v := recover(); v != nil && v != (killed{}) {
				panic(v)
			}
		}()
		p.yield = yield
		script(p)
	})
	p.run()
	return p
}

// run lets the script take the step that it waits for, and what follows up to
// the next one.
func (p *process) run() {
	if _, ok := p.resume(); !ok {
		p.exit("ends")
	}
}

// kill ends the process where it is. Its locks go in later steps.
func (p *process) kill() {
	p.exit("is killed")
	p.stop()
}

func (p *process) exit(how string) {
	if p.phase != running {
		return
	}
	p.phase = dying
	p.words = nil
	p.sim.changes++
	p.sim.loseHandles(p)
	p.sim.loseHolds(p)
	p.log(how, "", "")
	p.skipUnlocked()
	if p.atExit != nil {
		p.atExit()
	}
}

// die is one step of the system's clearing away after the process: as in
// close(2), the locks of a file's bytes go before the one of the whole.
func (p *process) die() {
	p.sim.changes++
	if len(p.kept) > 0 { // the kernel's exit_mm comes before its exit_files
		p.log("dies", "", "and its robust list is gone through")
		p.kept[0].ownerDied(p)
		p.kept = p.kept[1:]
		p.skipUnlocked()
		return
	}
	d := p.files[0]
	if len(d.bytes) > 0 && d.forks == 0 {
		d.bytes = nil
		p.log("dies", "", "and its locks of bytes go")
		return
	}
	d.close()
	p.log("dies", "", "and its lock goes")
	p.files = p.files[1:]
	p.skipUnlocked()
}

// skipUnlocked closes the files whose closing nobody notices.
func (p *process) skipUnlocked() {
	if len(p.kept) > 0 {
		return
	}
	for len(p.files) > 0 {
		if d := p.files[0]; d != nil {
			if d.forks == 0 && (d.whole != unlocked || len(d.bytes) > 0) {
				return
			}
			d.close()
		}
		p.files = p.files[1:]
	}
	p.phase = gone
}

// step waits for the process's turn.
func (p *process) step() {
	if p.phase != running || !p.quiet && !p.yield(struct{}{}) {
		panic(killed{})
	}
	p.paused = false
	p.sim.begin(p)
}

// block is step for a call that waits until it can be done.
func (p *process) block(ready func() bool) {
	p.ready = ready
	p.step()
	p.ready = nil
}

// stepOn is step for a call on an open file, which it returns. Nobody can notice
// what happens to a file that has no name yet, so that is no step of its own.
func (p *process) stepOn(fd FD) *description {
	d := p.file(fd)
	if d.links > 0 || len(d.open) > 1 {
		p.step()
	}
	return d
}

// see remembers, for the state and the trace, what a call was answered.
func (p *process) see(call, subject string, err error) error {
	p.history.addError(err)
	if p.sim.tracing {
		p.log(call, subject, fmt.Sprint(err))
	}
	return err
}

// errRefused stands for the answer false in histories and traces.
var errRefused = object.Explain(object.ErrPermission, "refused")

func (p *process) seeBool(call, subject string, ok bool) bool {
	var err error
	if !ok {
		err = errRefused
	}
	return p.see(call, subject, err) == nil
}

func (p *process) log(call, subject, result string) {
	if p.sim.tracing {
		p.sim.trace = append(p.sim.trace, strings.TrimSpace(
			fmt.Sprintf("P%d %-12s %-14s %s", p.id, call, subject, strings.Replace(result, "<nil>", "ok", 1))))
	}
}

// subject names an open file in a trace.
func (p *process) subject(fd FD) string {
	if !p.sim.tracing {
		return ""
	}
	return fmt.Sprintf("fd%d=file%d.%d", fd, p.files[fd].id>>32, uint32(p.files[fd].id))
}

// file returns an open file.
func (p *process) file(fd FD) *description {
	p.mustRun()
	return p.files[fd]
}

// mustRun is where deferred calls of a killed process end.
func (p *process) mustRun() {
	if p.phase != running {
		panic(killed{})
	}
}

func (p *process) add(d *description) FD {
	p.files = append(p.files, d)
	return FD(len(p.files) - 1)
}

// openFiles returns how many files the process has open.
func (p *process) openFiles() int {
	return len(slices.DeleteFunc(slices.Clone(p.files), func(d *description) bool { return d == nil }))
}
