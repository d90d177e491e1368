package objmgr

import (
	"slices"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/object"
)

// Jobs, and what the oracle knows of their members. It objects when
//
//   - a command is started though the last handle was gone before its guards began,
//   - a member is killed though its job has a handle, and nobody has terminated the
//     job since its start was called, nor killed its outer guard,
//   - a guard kills for want of handles while it has the file locked, for which openers
//     wait, or while the job has its name,
//   - a member lives without guards though not both were killed, or in a file that was
//     made into another object, or when nothing can happen any more,
//   - a member lives when only time can pass, though its job was terminated,
//   - a guard outlives its work,
//   - a wait for the end returns though the job had members all the time, or comes
//     back by itself when it is over.

// simStart is a start of a command by two guards.
type simStart struct {
	life            // the job
	number   int    // of the start
	name     string // of the job's file
	stopped  uint64 // what the guards were told: how often the job was terminated
	before   uint64 // how often it was when Start was called
	outer    *simGuard
	inner    *simGuard // nil until it is forked
	sim      *simulation
	script   func(*process) // the command
	command  *process       // nil until it is started
	lives    bool           // the command
	unwanted bool           // no handle was left when the inner guard began
	reported bool           // to the holder, that the command has started

	saidStarted, saidEnded bool // the command has, by the inner guard to the outer one
}

func (st *simStart) hash() hash {
	var h hash
	h.add(st.id, uint64(st.life.number), st.stopped, st.before)
	for _, is := range []bool{st.lives, st.unwanted, st.reported, st.saidStarted, st.saidEnded} {
		h.addBool(is)
	}
	for _, g := range []*simGuard{st.outer, st.inner} {
		h.addBool(g != nil && g.killing)
		h.addBool(g != nil && g.main.struck)
	}
	return h
}

// stops returns how often the job was terminated.
func (st *simStart) stops() uint64 { return (&simPage{inode: st.inode}).get(layout.JobStopAt) }

// startCommand is what the inner guard does last before it reports.
func (st *simStart) startCommand() {
	if st.unwanted && !st.hasHandle() {
		st.sim.fail(st.inner.main, "started a command for a dead job")
	}
	st.sim.start(st.inner.main.uid, func(p *process) {
		p.part = true
		p.bear(st, taskCommand)
		st.command, st.lives = p, true
		p.atExit = func() { st.lives = false }
		st.script(p)
	})
	st.inner.main.log("starts", "", "the command")
}

// hasHandle reports whether a handle is open, which a killed process's is for a while.
func (st *simStart) hasHandle() bool {
	d := description{inode: st.inode}
	return d.othersByte(layout.HandleByte(st.name))
}

// killCommand kills the command, if it lives.
func (t *simThread) killCommand() {
	if !t.lives {
		return
	}
	switch {
	case t.task == taskUndo: // of a start that the holder takes for a failed one
	case t.sim.held(t.life) && t.stops() == t.before && !t.outer.main.struck:
		t.sim.fail(t.process, "killed a member of a living job that nobody terminated")
	case t.task == taskHandles && t.file().whole == exclusive:
		t.sim.fail(t.process, "kills while openers wait for the lock")
	case t.task == taskHandles && t.sim.names[t.name] == t.inode:
		t.sim.fail(t.process, "kills though the job still has its name")
	}
	t.command.kill()
}

// held reports whether somebody has a handle to an object.
func (s *simulation) held(l life) bool {
	return slices.ContainsFunc(s.processes, func(p *process) bool {
		return slices.ContainsFunc(p.handles, func(h *handle) bool { return h.object == l })
	})
}

// checkMembers looks at the members after each step.
func (s *simulation) checkMembers() {
	for _, st := range s.starts {
		switch {
		case !st.lives || st.bothStruck():
		case st.outer.main.phase != running && st.inner.main.phase != running:
			s.fail(st.command, "lives without guards")
		case st.life != st.inode.life():
			s.fail(st.command, "lives on in another object")
		}
	}
}

func (st *simStart) bothStruck() bool { return st.outer.main.struck && st.inner.main.struck }

// checkStopped looks at the members when only time can pass.
func (s *simulation) checkStopped() {
	for _, st := range s.starts {
		if st.lives && !st.bothStruck() && st.inode.life() == st.life && st.stops() != st.before {
			s.fail(st.command, "survived the termination of its job")
		}
	}
}

// checkStarts looks at what is left when nothing can happen any more.
func (s *simulation) checkStarts() {
	for _, st := range s.starts {
		if st.lives && !st.bothStruck() {
			s.fail(st.command, "survived its job")
		}
		for _, g := range []*simGuard{st.outer, st.inner} {
			if g != nil && g.main.phase != gone {
				s.fail(g.main, "guards nobody")
			}
		}
	}
}

// observeJob notes whether the job of p's operation has no members.
func (s *simulation) observeJob(p *process) {
	op := &p.operation
	if op.verb == verbAwaitEnd && op.begun && !op.empty {
		isMember := func(st *simStart) bool {
			return st.life == op.objects[0].life() && st.lives && !st.bothStruck()
		}
		op.empty = !slices.ContainsFunc(s.starts, isMember) && !s.hasKeptMember(p)
	}
}

// checkWait objects to a wait that was not woken.
func (s *simulation) checkWait(p *process) {
	if p.operation.verb != verbAwaitEnd || s.killed {
		return
	}
	d := description{inode: p.operation.objects[0]}
	if _, guarded := d.firstLocked(layout.GuardBytes, layout.GuardsCount); !guarded {
		s.fail(p, "was not woken when the job was empty")
	}
}

const verbAwaitEnd = "await the end"

// What scripts can do with jobs.

// jobHandle is a handle to a job.
type jobHandle struct {
	*Sync
	*handle
}

func (p *process) createJob(name object.Name, mode uint32) *jobHandle {
	return p.job("create", name, func() (*Sync, error) {
		return p.manager.CreateSync(SyncSpec{Name: name, Kind: object.Job, Mode: mode})
	})
}

func (p *process) openJob(name object.Name) *jobHandle {
	return p.job("open", name, func() (*Sync, error) { return p.manager.OpenSync(name, object.Job) })
}

// openOrCreateJob is what package kernel does, with fewer attempts.
func (p *process) openOrCreateJob(name object.Name) *jobHandle {
	for range 2 {
		if j := p.openJob(name); j != nil {
			return j
		}
		if j := p.createJob(name, private); j != nil {
			return j
		}
	}
	return nil
}

// job returns nil if there is an error.
func (p *process) job(verb string, name object.Name, do func() (*Sync, error)) *jobHandle {
	var s *Sync
	file := p.manager.FileName(name)
	err := p.attempt(operation{verb: verb, file: file}, func() (err error) {
		s, err = do()
		return err
	})
	if err != nil {
		p.end(err, nil)
		return nil
	}
	h := &handle{mapping: &Mapping{Object: s.Object, Size: layout.ControlSize}, file: file, object: p.files[s.fd].life()}
	p.end(nil, h)
	return &jobHandle{s, h}
}

// closeJob closes a handle; nil is none.
func (p *process) closeJob(j *jobHandle) {
	if j == nil {
		return
	}
	drop := func() { p.sim.dropHandle(p, j.handle) }
	p.end(p.attempt(operation{verb: "close", releases: drop}, j.Sync.Close), nil)
}

// hasJob creates or opens a job before the process's first step of interest.
func (p *process) hasJob() *jobHandle {
	p.quiet = true
	defer func() { p.quiet = false }()
	return p.openOrCreateJob(localX)
}

// rest waits until nobody else can go on.
func (p *process) rest() {
	for until := p.sim.now + 1; p.sim.now < until; {
		p.Park(noContext, []Parked{}, until)
	}
}

// keep waits until the processes of interest begin.
func (p *process) keep() { p.block(func() bool { return p.sim.begun }) }

// startIn starts a command in a job, as package kernel does.
func (p *process) startIn(j *jobHandle, command func(*process)) {
	if j == nil {
		return
	}
	p.contend("start", func() error {
		st := &simStart{
			life: j.object, number: len(p.sim.starts) + 1, name: j.handle.file, sim: p.sim, script: command,
		}
		st.before = st.stops()
		own, err := p.Reopen(j.fd, true)
		if err != nil {
			return err
		}
		if st.stopped, err = j.Stopped(); err != nil {
			return err
		}
		p.step()
		p.sim.starts = append(p.sim.starts, st)
		st.outer = st.fork(p, p.files[own], (*simThread).runOuter)
		p.log("forks", "", "the outer guard")
		p.block(st.answered)
		if err := p.Close(own); err != nil {
			return err
		}
		if st.reported {
			return nil
		}
		p.block(st.outer.ended)
		switch {
		case !p.sim.killed:
			p.sim.fail(p, "could not start the command")
		case st.lives && !st.outer.main.struck: // else the inner guard kills it in a moment
			p.sim.fail(p, "was told of a failure, but the command runs")
		}
		return nil
	}, j.Sync)
}

// answered reports whether the outer guard has told the holder about the start, or
// can't any more.
func (st *simStart) answered() bool {
	return st.reported || st.outer.ended() || st.inner != nil && st.inner.ended() && !st.saidStarted
}

// awaitEnd waits until a job is empty.
func (p *process) awaitEnd(j *jobHandle) {
	if j == nil {
		return
	}
	p.contend(verbAwaitEnd, func() error {
		_, err := j.Wait(p.waits)
		if err == nil && !p.operation.empty {
			p.sim.fail(p, "did not wait for the members")
		}
		return err
	}, j.Sync)
}

// terminate kills the members of a job.
func (p *process) terminate(j *jobHandle) {
	if j != nil {
		p.contend("terminate", j.Stop, j.Sync)
	}
}
