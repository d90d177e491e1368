package objmgr

import (
	"errors"
	"fmt"
	"slices"

	jobguard "github.com/filemap-go/filemap/internal/guard"
	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/object"
)

// The keepers of jobs with a cgroup. What they decide is the code of package guard;
// what they do with processes and the cgroup is a model.

// simPair is a pair of keepers, as a start without a command.
type simPair struct {
	*simStart
	cgroup *simCgroup
	first  bool  // there was no other
	failed error // that was reported
	looked bool  // at the cgroup, for the first time
	seen   int   // changes of that: they have its events open together
	both   [2]*simKeeper
	done   bool // the inner one
}

// simKeeper is what the threads of a keeper share.
type simKeeper struct {
	*simPair
	stop   uint64 // how many terminations it has seen
	looked bool   // at the cgroup
	none   bool   // the job has no handles
	told   bool   // it knows that
}

// keeperThread is a thread of a keeper.
type keeperThread struct {
	*simThread
	keeper *simKeeper
}

func (pair *simPair) hash() hash {
	h := pair.simStart.hash()
	h.addBool(pair.first)
	h.addBool(pair.looked)
	h.addBool(pair.seen != pair.cgroup.changes)
	h.addBool(pair.done)
	for _, k := range pair.both {
		if k != nil {
			h.add(k.stop)
			h.addBool(k.looked)
			h.addBool(k.none)
			h.addBool(k.told)
		}
	}
	return h
}

// dead reports whether both keepers were killed, or the outer one before it had
// started the inner one.
func (pair *simPair) dead() bool {
	return pair.outer.main.struck && (pair.inner == nil || pair.inner.main.struck)
}

// thread makes a guard's thread that of a keeper.
func (k *simKeeper) thread(run func(*keeperThread)) func(*simThread) {
	return func(t *simThread) { run(&keeperThread{t, k}) }
}

// job returns the thread's job, or what a test has put around it.
func (t *keeperThread) job() jobguard.Keeper {
	if breaker, ok := t.manager.host.(interface {
		breakKeeper(*keeperThread) jobguard.Keeper
	}); ok {
		return breaker.breakKeeper(t)
	}
	return t
}

func (t *keeperThread) runOuter() { jobguard.KeepOuter(t.job(), t.keep) }

func (t *keeperThread) runInner() {
	t.keep()
	t.keeper.done = true
}

// keep is keep of package guard.
func (t *keeperThread) keep() {
	t.begin(taskHandles, t.keeper.thread(func(t *keeperThread) {
		jobguard.AwaitLastHandle(t.job())
		t.keeper.none = true
		t.sim.changes++
	}))
	if !t.sim.steady {
		t.begin(taskStop, t.keeper.thread(func(t *keeperThread) { jobguard.AwaitStops(t.job()) }))
	}
	jobguard.Keep(t.job())
}

// The rest implements jobguard.Keeper, as far as a guard's thread does not.

func (t *keeperThread) LockBytes() (bool, error) {
	t.step()
	_, locked := t.file().firstLocked(layout.KeepersByte, 2)
	if !locked {
		t.file().tryLockByte(layout.KeepersByte, exclusive)
		t.file().tryLockByte(layout.MembersByte, exclusive)
	}
	return t.seeBool("lock keepers", "", t.begins(!locked)), nil
}

// begins notes whether the pair is the first.
func (t *keeperThread) begins(first bool) bool {
	t.keeper.first = first
	if first && slices.ContainsFunc(t.keeper.cgroup.pairs, func(other *simPair) bool {
		return other != t.keeper.simPair && other.first && other.runs()
	}) {
		t.sim.fail(t.process, "keeps beside another pair")
	}
	return first
}

// runs reports whether one of the keepers does.
func (pair *simPair) runs() bool {
	return pair.outer.main.phase == running || pair.inner != nil && pair.inner.main.phase == running
}

func (t *keeperThread) LockMembersByte() {
	t.step()
	t.file().tryLockByte(layout.MembersByte, exclusive)
	for _, m := range t.keeper.cgroup.members {
		m.known = m.known || m.lives
	}
	t.see("lock members", "", nil)
}

func (t *keeperThread) UnlockByte() {
	t.step()
	delete(t.file().bytes, layout.MembersByte)
	t.sim.changes++
	t.see("unlock members", "", nil)
}

var errNoCgroup = errors.New("the cgroup was removed")

func (t *keeperThread) StartInner() error {
	t.step()
	if t.keeper.cgroup.removed {
		return t.see("watch", "", errNoCgroup)
	}
	t.keeper.seen = t.keeper.cgroup.changes
	t.step()
	inner := &simKeeper{simPair: t.keeper.simPair, stop: t.stopped}
	t.keeper.both[1] = inner
	t.keeper.inner = t.fork(t.process, t.file(), inner.thread((*keeperThread).runInner))
	return t.see("fork", "the inner keeper", nil)
}

func (t *keeperThread) Report(err error) {
	t.step()
	t.keeper.reported, t.keeper.failed = true, err
	t.see("report", "", err)
}

func (t *keeperThread) AwaitInner() bool {
	t.block(t.inner.ended)
	return t.seeBool("await inner", "", t.keeper.done)
}

// Await comes back by itself for the first time, since the command may never start,
// and where the job has no handles, after a step of another process.
func (t *keeperThread) Await(ended bool) jobguard.Event {
	k := t.keeper
	t.history = 0 // a round begins
	t.bear(t.simStart, t.task)
	t.history.addBool(ended)
	isDue := func() bool {
		return !k.looked || ended || k.none && !k.told || k.seen != k.cgroup.changes
	}
	t.paused = ended
	t.block(isDue)
	return t.next()
}

// next returns the event that there is.
func (t *keeperThread) next() (e jobguard.Event) {
	k := t.keeper
	switch pending := k.seen != k.cgroup.changes || !k.looked; {
	case k.none && !k.told:
		k.told = true
		e = jobguard.NoHandle
	case k.cgroup.removed:
		e = jobguard.CgroupRemoved
	case pending && k.cgroup.populated():
		e = jobguard.Populated
	case pending:
		e = jobguard.Unpopulated
	}
	if e != jobguard.NoHandle {
		k.looked, k.simPair.looked, k.seen = true, true, k.cgroup.changes
	}
	t.history.add(uint64(e))
	t.logf("event", "%d", e)
	return e
}

func (t *keeperThread) Stopped() bool {
	t.step()
	t.history = 0 // a round begins
	t.bear(t.simStart, t.task)
	return t.seeBool("stopped", "", t.isGone() || t.stops() != t.keeper.stop)
}

func (t *keeperThread) SleepUntilStopped() { t.sleepOnStops(t.keeper.stop) }

func (t *keeperThread) KillStopped() bool {
	t.step()
	if t.isGone() {
		t.keeper.cgroup.killAll(t.process)
		return t.seeBool("kill all", "", false)
	}
	stop := t.stops()
	t.history.add(stop)
	t.keeper.cgroup.killStopped(t.process, stop)
	t.keeper.stop = stop
	return t.seeBool("kill stopped", "", true)
}

func (t *keeperThread) RemoveStopped() {
	t.step()
	t.keeper.cgroup.removeStopped(t.stops())
	t.see("remove stopped", "", nil)
}

func (t *keeperThread) EndMembers() {
	t.step()
	c := t.keeper.cgroup
	switch {
	case c.leave:
		return
	case t.file().whole == exclusive:
		t.sim.fail(t.process, "kills while openers wait for the lock")
	case t.sim.names[t.name] == t.inode:
		t.sim.fail(t.process, "kills though the job still has its name")
	}
	c.killAll(t.process)
	t.see("end members", "", nil)
}

func (t *keeperThread) Remove() bool {
	t.step()
	return t.seeBool("remove", "", t.keeper.cgroup.remove())
}

// What scripts can do with such jobs.

// hasKept creates or opens a job with a cgroup before the process's first step of
// interest.
func (p *process) hasKept(name object.Name, mode uint32, leave bool) *jobHandle {
	p.quiet = true
	defer func() { p.quiet = false }()
	if j := p.openKept(name); j != nil {
		return j
	}
	return p.createKept(name, mode, leave)
}

func (p *process) createKept(name object.Name, mode uint32, leave bool) *jobHandle {
	c := &simCgroup{sim: p.sim, uid: p.uid, path: fmt.Sprintf("/cgroup-%d", p.id), leave: leave}
	j := p.job("create", name, func() (*Sync, error) {
		return p.manager.CreateSync(SyncSpec{
			Name: name, Kind: object.Job, Mode: mode, ID: uint64(p.id + 1), Cgroup: c.path, Leave: leave,
		})
	})
	if j != nil {
		c.job = j.object
		p.sim.cgroups = append(p.sim.cgroups, c)
	}
	return p.sees(j)
}

func (p *process) openKept(name object.Name) *jobHandle { return p.sees(p.openJob(name)) }

// sees gives a handle what it can see of the cgroup.
func (p *process) sees(j *jobHandle) *jobHandle {
	if j == nil {
		return nil
	}
	if c := p.sim.cgroupOf(j); c != nil && c.uid == p.uid {
		j.Populated = func() bool {
			p.step()
			populated := c.populated()
			p.history.addBool(populated)
			return populated
		}
	}
	return j
}

func (s *simulation) cgroupOf(j *jobHandle) *simCgroup {
	for _, c := range s.cgroups {
		if c.job == j.object {
			return c
		}
	}
	return nil
}

// startKept starts a command in a job's cgroup, as package kernel does.
func (p *process) startKept(j *jobHandle, command func(*process)) {
	if j == nil {
		return
	}
	c := p.sim.cgroupOf(j)
	p.contend("start", func() error {
		m := &simMember{before: c.stops()}
		var err error
		if m.group, err = p.openStart(j, c); err != nil {
			return err
		}
		kept, err := p.keepJob(j, c)
		if err == nil && kept {
			p.step()
			c.start(p, m, command)
		}
		p.closeStart(m.group)
		return err
	}, j.Sync)
}

// openStart is OpenStart of package guard.
func (p *process) openStart(j *jobHandle, c *simCgroup) (*simGroup, error) {
	for {
		before, err := j.Stopped()
		if err != nil {
			return nil, err
		}
		p.step()
		g := c.group(before)
		g.starters++
		p.atExit = func() { g.starters-- }
		now, err := j.Stopped()
		if err != nil || now == before {
			return g, err
		}
		p.closeStart(g)
	}
}

func (p *process) closeStart(g *simGroup) {
	p.step()
	g.starters--
	p.atExit = nil
}

// keepJob starts keepers, unless the job has some. It reports whether that went well,
// as it does unless keepers are killed.
func (p *process) keepJob(j *jobHandle, c *simCgroup) (bool, error) {
	kept, err := j.HasKeepers()
	if err != nil || kept {
		return kept, err
	}
	own, err := p.Reopen(j.fd, true)
	if err != nil {
		return false, err
	}
	pair := &simPair{cgroup: c, simStart: &simStart{
		life: j.object, number: 100 + p.id, name: j.handle.file, sim: p.sim,
	}}
	if pair.stopped, err = j.Stopped(); err != nil {
		return false, err
	}
	p.step()
	outer := &simKeeper{simPair: pair, stop: pair.stopped}
	pair.both[0] = outer
	pair.outer = pair.fork(p, p.files[own], outer.thread((*keeperThread).runOuter))
	c.pairs = append(c.pairs, pair)
	p.log("forks", "", "the outer keeper")
	p.block(func() bool { return pair.reported || pair.outer.ended() })
	if err := p.Close(own); err != nil {
		return false, err
	}
	if !pair.reported && !p.sim.killed {
		p.sim.fail(p, "could not start keepers")
	}
	return pair.reported, pair.failed
}

// terminateKept kills the members of a job that the process may kill.
func (p *process) terminateKept(j *jobHandle) {
	if j == nil {
		return
	}
	p.contend("terminate", func() error {
		if err := j.Stop(); err != nil {
			return err
		}
		stop, err := j.Stopped()
		if c := p.sim.cgroupOf(j); err == nil && c != nil && c.uid == p.uid {
			c.killStopped(p, stop)
		}
		return err
	}, j.Sync)
}
