package objmgr

import (
	jobguard "github.com/filemap-go/filemap/internal/guard"
	"github.com/filemap-go/filemap/internal/layout"
)

// The guards of jobs. What they do with the job's file is the code of package
// guard; what they do with processes is a model, which follows runOuter, runInner,
// watch, kill and takeOver there.

// simGuard is a guard: a process of several threads.
type simGuard struct {
	*simStart
	main    *process
	threads []*process // the others
	killing bool
}

// simThread is a thread of a guard: a process of its own to the schedule.
type simThread struct {
	*process
	*simGuard
	task task
}

// task is what a thread is for.
type task uint64

const (
	taskMain task = iota + 1
	taskHandles
	taskStop
	taskObey
	taskUndo
	taskCommand // not a guard's
)

// job returns the thread's job, or what a test has put around it.
func (t *simThread) job() jobguard.Job {
	if breaker, ok := t.manager.host.(interface{ breakGuard(*simThread) jobguard.Job }); ok {
		return breaker.breakGuard(t)
	}
	return t
}

// fork starts a guard, which has the open file of the process that forks it.
func (st *simStart) fork(by *process, file *description, run func(*simThread)) *simGuard {
	g := &simGuard{simStart: st}
	file.forks++
	by.sim.start(by.uid, func(p *process) {
		g.main = p
		p.files = []*description{file, file.newDescription(p, true)}
		p.atExit = g.endThreads
		p.bear(st, taskMain)
		run(&simThread{p, g, taskMain})
	})
	return g
}

// bear has the history of a process begin with what it is.
func (p *process) bear(st *simStart, t task) { p.history.add(uint64(st.number), uint64(t)) }

// begin starts another thread.
func (g *simGuard) begin(t task, run func(*simThread)) {
	g.sim.start(g.main.uid, func(p *process) {
		p.part = true
		p.bear(g.simStart, t)
		g.threads = append(g.threads, p)
		run(&simThread{p, g, t})
	})
}

// endThreads ends the threads of a guard that ends. The one that runs ends itself.
func (g *simGuard) endThreads() {
	for _, p := range g.threads {
		if p.phase == running {
			p.phase = gone
			p.stop()
		}
	}
}

// runOuter is the outer guard.
func (t *simThread) runOuter() {
	if !t.lockByte() {
		return
	}
	t.step()
	t.inner = t.fork(t.process, t.files[0], (*simThread).runInner)
	t.log("forks", "", "the inner guard")
	t.block(func() bool { return t.saidStarted || t.inner.ended() })
	if t.saidStarted {
		t.reported = true
		t.log("reports", "", "the start")
		t.block(t.inner.ended)
	}
	if !t.saidEnded {
		t.watch() // in the inner guard's place
		if !t.reported {
			t.begin(taskUndo, (*simThread).kill)
		}
		t.block(func() bool { return !t.lives })
	}
	jobguard.End(t.job())
}

// runInner is the inner guard.
func (t *simThread) runInner() {
	t.unwanted = !t.hasHandle()
	if !t.lockByte() {
		return
	}
	if !t.job().HasHandle() {
		return
	}
	t.step()
	t.startCommand()
	t.step()
	t.saidStarted = true
	t.begin(taskObey, func(obeying *simThread) {
		obeying.block(t.outer.ended)
		if t.outer.main.struck { // so the command, as the holder thinks
			obeying.killCommand()
		}
	})
	t.watch()
	t.block(func() bool { return !t.lives })
	t.saidEnded = true
	jobguard.End(t.job())
}

// watch is watch of package guard.
func (g *simGuard) watch() {
	g.begin(taskHandles, func(t *simThread) {
		jobguard.AwaitLastHandle(t.job())
		t.kill()
	})
	if g.sim.steady {
		return
	}
	g.begin(taskStop, func(t *simThread) {
		jobguard.AwaitStop(t.job())
		t.kill()
	})
}

// kill kills the guard's members until the guard ends.
func (t *simThread) kill() {
	if t.killing {
		return
	}
	t.killing = true
	for {
		t.block(t.hasChild)
		t.killCommand()
	}
}

func (g *simGuard) ended() bool { return g.main.phase == gone }

// hasChild reports whether the command is the guard's child: a guard's children
// become the outer one's when it has ended.
func (g *simGuard) hasChild() bool {
	return g.lives && (g == g.inner || g.inner.ended())
}

func (t *simThread) lockByte() bool {
	t.step()
	own := t.main.files[1]
	ok := own.tryLockByte(layout.GuardBytes+int64(t.main.id), exclusive)
	return t.seeBool("lock guard", "", ok)
}

// file is the open file of the guards.
func (t *simThread) file() *description { return t.main.files[0] }

// The rest implements jobguard.Job.

func (t *simThread) Lock() error {
	t.block(func() bool { return t.file().mayLock(exclusive) })
	t.file().tryLock(exclusive)
	t.sim.changes++
	return t.see("await lock", "", nil)
}

func (t *simThread) Unlock() {
	t.step()
	t.file().whole = unlocked
	t.sim.changes++
	t.see("unlock", "", nil)
}

func (t *simThread) HasHandle() bool {
	t.step()
	return t.seeBool("has handle", "", t.file().othersByte(layout.HandleByte(t.name)))
}

func (t *simThread) IsNamed() bool {
	t.step()
	return t.seeBool("is named", t.name, t.sim.names[t.name] == t.inode)
}

func (t *simThread) Unlink() {
	t.step()
	t.see("unlink", t.name, t.sim.unlink(t.uid, t.name))
}

// Pause begins a round that knows nothing of those before.
func (t *simThread) Pause() {
	t.paused = true
	t.history = 0
	t.bear(t.simStart, t.task)
}

func (t *simThread) Stopped() bool {
	t.step()
	t.history = 0 // a round begins
	t.bear(t.simStart, t.task)
	return t.seeBool("stopped", "", t.isGone() || t.stops() != t.stopped)
}

func (t *simThread) SleepUntilStopped() { t.sleepOnStops(t.stopped) }

// sleepOnStops sleeps until somebody terminates the job, unless it was terminated
// another number of times.
func (t *simThread) sleepOnStops(stops uint64) {
	t.parkOn(layout.JobStopAt, []Parked{{Page: t.page(), Low: uint32(stops)}}, 0)
}

func (t *simThread) UnlockByte() {
	t.step()
	t.main.files[1].bytes = nil
	t.sim.changes++
	t.see("unlock guard", "", nil)
}

func (t *simThread) Announce() {
	jobguard.ChangeState(t.page().Word(layout.StateAt))
	t.page().Wake()
}

func (t *simThread) page() *simPage { return &simPage{t.process, t.inode} }
