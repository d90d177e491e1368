package objmgr

import (
	"math"
	"slices"
	"testing"

	jobguard "github.com/filemap-go/filemap/internal/guard"
)

// Commands.

// lasts lives until it is killed.
func lasts(p *process) { p.block(func() bool { return false }) }

// ends lives for a moment.
func ends(p *process) { p.step() }

// Scripts.

// holds starts a command in a job, and closes the job.
func holds(p *process) {
	j := p.hasJob()
	p.startIn(j, lasts)
	p.closeJob(j)
}

// holdsLong is holds, but closes the job later.
func holdsLong(p *process) {
	j := p.hasJob()
	p.startIn(j, lasts)
	p.keep()
	p.closeJob(j)
}

// holdsRests is holds, but closes the job when nobody else can go on.
func holdsRests(p *process) {
	j := p.hasJob()
	p.startIn(j, lasts)
	p.rest()
	p.closeJob(j)
}

// holdsShort has a job whose command ends by itself.
func holdsShort(p *process) {
	j := p.hasJob()
	p.startIn(j, func(command *process) {
		command.keep()
		command.step()
	})
	p.keep()
	p.closeJob(j)
}

// holdsEmpty has a job without a command at first.
func holdsEmpty(p *process) {
	j := p.hasJob()
	p.keep()
	p.startIn(j, lasts)
	p.closeJob(j)
}

// relocks changes its lock of the file, which flock(2) does in two steps.
func relocks(p *process) {
	j := p.hasJob()
	p.contend("lock again", j.Object.keep, j.Sync)
	p.closeJob(j)
}

// holdsAwaits has a job until its command has ended.
func holdsAwaits(p *process) {
	j := p.hasJob()
	p.startIn(j, ends)
	p.awaitEnd(j)
	p.closeJob(j)
}

// holdsTerminates terminates the command that it has started.
func holdsTerminates(p *process) {
	j := p.hasJob()
	p.startIn(j, lasts)
	p.terminate(j)
	p.awaitEnd(j)
	p.closeJob(j)
}

// startsAgain starts a command in a job that it has terminated.
func startsAgain(p *process) {
	j := p.hasJob()
	p.startIn(j, lasts)
	p.terminate(j)
	p.startIn(j, ends)
	p.awaitEnd(j)
	p.closeJob(j)
}

func opensJob(p *process)   { p.closeJob(p.openJob(localX)) }
func createsJob(p *process) { p.closeJob(p.createJob(localX, private)) }
func eitherJob(p *process)  { p.closeJob(p.openOrCreateJob(localX)) }

func awaitsJob(p *process) {
	j := p.hasJob()
	p.awaitEnd(j)
	p.closeJob(j)
}

func terminatesJob(p *process) {
	j := p.hasJob()
	p.terminate(j)
	p.closeJob(j)
}

func terminatesAwaitsJob(p *process) {
	j := p.hasJob()
	p.terminate(j)
	p.awaitEnd(j)
	p.closeJob(j)
}

// sharesJob starts a command in a job of all users, and closes the job later.
func sharesJob(p *process) {
	p.quiet = true
	j := p.createJob(globalX, public)
	p.quiet = false
	p.startIn(j, lasts)
	p.keep()
	p.closeJob(j)
}

// sharesJobAnew makes a job of that name, which is empty.
func sharesJobAnew(p *process) {
	j := p.createJob(globalX, public)
	p.awaitEnd(j)
	p.closeJob(j)
}

// guardedX has a job with a command and its guards.
var (
	guardedX      = []actor{{ann, holdsLong}}
	guardedGlobal = []actor{{ann, sharesJob}}
	guardedShort  = []actor{{ann, holdsShort}}
	guardedRests  = []actor{{ann, holdsRests}}
	emptyX        = []actor{{ann, holdsEmpty}}
)

// jobWorlds are explored to the end.
var jobWorlds = []world{
	{name: "a job and its last handle", steady: true, kills: 1, actors: []actor{{ann, holds}}},
	{name: "a job whose command ends", steady: true, actors: []actor{{ann, holdsAwaits}}},
	{name: "a job that is terminated", actors: []actor{{ann, holdsTerminates}}},
	{name: "a guarded job, opener", steady: true, before: guardedX, actors: []actor{{ann, opensJob}}},
	{name: "a guarded job whose handle relocks", steady: true, before: guardedX, actors: []actor{{ann, relocks}}},

	{name: "a job and its last handle, guards killed", steady: true, vast: true, kills: 3,
		actors: []actor{{ann, holds}}},
	{name: "a job whose command ends, guards killed", steady: true, robust: true, vast: true, kills: 2,
		actors: []actor{{ann, holdsAwaits}}},
	{name: "a job that is terminated, guards killed", robust: true, vast: true, kills: 1,
		actors: []actor{{ann, holdsTerminates}}},
	{name: "a guarded job, opener, guards killed", steady: true, vast: true, kills: 1, before: guardedX,
		actors: []actor{{ann, opensJob}}},
	{name: "a guarded job, creator", steady: true, vast: true, kills: 1, before: guardedX,
		actors: []actor{{ann, createsJob}}},
	{name: "a guarded job, opener or creator", steady: true, vast: true, before: guardedX,
		actors: []actor{{ann, eitherJob}}},
	{name: "a guarded job, cleaner", steady: true, vast: true, kills: 3, before: guardedX,
		actors: []actor{{ann, cleans}}},
	{name: "a guarded job, terminator", robust: true, vast: true, before: guardedX,
		actors: []actor{{ann, terminatesAwaitsJob}}},
	{name: "a guarded job, terminator killed", vast: true, kills: 1, before: guardedRests,
		actors: []actor{{ann, terminatesJob}}},
	{name: "another's guarded job, creator", steady: true, robust: true, vast: true, before: guardedGlobal,
		actors: []actor{{bob, sharesJobAnew}}},
}

// largeJobWorlds are too large for that.
var largeJobWorlds = []world{
	{name: "a start, opener", steady: true, vast: true, kills: 3, before: emptyX, actors: []actor{{ann, opensJob}}},
	{name: "a start, terminator", vast: true, kills: 2, before: emptyX, actors: []actor{{ann, terminatesJob}}},
	{name: "a start after the termination", vast: true, kills: 1, actors: []actor{{ann, startsAgain}}},
	{name: "two starts", steady: true, vast: true, kills: 3, before: guardedX, actors: []actor{{ann, holds}}},
	{name: "a guarded job, terminator, guards killed", robust: true, vast: true, kills: 2, before: guardedX,
		actors: []actor{{ann, terminatesAwaitsJob}}},
	{name: "a command that another process awaits", steady: true, robust: true, vast: true, kills: 2, before: guardedShort,
		actors: []actor{{ann, awaitsJob}}},
	{name: "another's guarded job, creator, guards killed", steady: true, robust: true, vast: true, kills: 2,
		before: guardedGlobal, actors: []actor{{bob, sharesJobAnew}}},
}

// TestSeededGuardBugs breaks what guards are told, and what they do.
func TestSeededGuardBugs(t *testing.T) {
	notForRaces(t)
	bugs := []struct {
		name  string
		guard func(*simThread) jobguard.Job // unless nil
		host  func(*process) Host
	}{
		{name: "the name is not looked at", guard: func(t *simThread) jobguard.Job { return careless{t} }},
		{name: "the name stays", guard: func(t *simThread) jobguard.Job { return untidy{t} }},
		{name: "handles are not looked for after the wait", guard: func(t *simThread) jobguard.Job { return hurried{t} }},
		{name: "handles are not looked for before the start", guard: func(t *simThread) jobguard.Job { return eager{t} }},
		{name: "the lock is kept for the killing", guard: func(t *simThread) jobguard.Job { return selfish{t} }},
		{name: "the job is empty before the killing", guard: func(t *simThread) jobguard.Job { return premature{t} }},
		{name: "no wait is told of the end", guard: func(t *simThread) jobguard.Job { return silent{t} }},
		{name: "the termination is missed before the sleep", guard: func(t *simThread) jobguard.Job { return drowsy{t} }},
		{name: "a termination before the start counts", guard: func(t *simThread) jobguard.Job { return jumpy{t} }},
		{name: "the termination and its wake are two steps", host: func(p *process) Host { return halting{p} }},
	}
	for _, bug := range bugs {
		t.Run(bug.name, func(t *testing.T) {
			wrap := bug.host
			if bug.guard != nil {
				wrap = func(p *process) Host { return brokenGuards{p, bug.guard} }
			}
			for seed := range uint64(walks / 10) {
				for _, w := range slices.Concat(jobWorlds, largeJobWorlds) {
					if s := walk(w, wrap, seed, false); isViolation(s.failure) {
						t.Logf("found in the world of %s, on way %d: %v", w.name, seed, s.failure)
						return
					}
				}
			}
			t.Error("the oracle found nothing")
		})
	}
}

// brokenGuards has the guards of a machine have a bug.
type brokenGuards struct {
	*process
	guard func(*simThread) jobguard.Job
}

func (b brokenGuards) breakGuard(t *simThread) jobguard.Job { return b.guard(t) }

// careless removes a name that may be another job's.
type careless struct{ *simThread }

func (careless) IsNamed() bool { return true }

// untidy leaves the name.
type untidy struct{ *simThread }

func (untidy) Unlink() {}

// hurried takes the lock for proof that no handle is left.
type hurried struct{ *simThread }

func (h hurried) HasHandle() bool { return h.task != taskHandles && h.simThread.HasHandle() }

// eager takes it for granted that the job lives when it begins.
type eager struct{ *simThread }

func (e eager) HasHandle() bool { return e.task == taskMain || e.simThread.HasHandle() }

// selfish gives the lock up when it ends.
type selfish struct{ *simThread }

func (selfish) Unlock() {}

// premature says that the job is empty, and then kills the members.
type premature struct{ *simThread }

func (p premature) Stopped() bool {
	stopped := p.simThread.Stopped()
	if stopped {
		jobguard.End(p.simThread)
	}
	return stopped
}

// silent wakes nobody.
type silent struct{ *simThread }

func (silent) Announce() {}

// drowsy sleeps on a count that it loads after the look.
type drowsy struct{ *simThread }

func (d drowsy) SleepUntilStopped() {
	d.step()
	d.sleepOnStops(d.stops())
}

// jumpy takes a termination before the start for one of its own.
type jumpy struct{ *simThread }

func (j jumpy) Stopped() bool { return j.simThread.Stopped() || j.stops() != 0 }

// halting may die between a termination and the wake for it.
type halting struct{ *process }

type haltingPage struct{ *simPage }

func (h haltingPage) AddOneAndWake(offset int) {
	h.p.step()
	h.set(offset, h.get(offset)+1)
	h.p.step()
	h.wake(h.p, offset, math.MaxInt)
}

func (h halting) MapPage(fd FD, guarded bool) (Page, error) {
	page, err := h.process.MapPage(fd, guarded)
	return haltingPage{page.(*simPage)}, err
}
