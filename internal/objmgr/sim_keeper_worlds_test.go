package objmgr

import (
	"slices"
	"testing"

	jobguard "github.com/filemap-go/filemap/internal/guard"
	"github.com/filemap-go/filemap/internal/layout"
)

// Scripts of jobs with a cgroup, called as those of jobs under guards are.

func keeps(p *process) {
	j := p.hasKept(localX, private, false)
	p.startKept(j, lasts)
	p.closeJob(j)
}

func keepsLong(p *process) {
	j := p.hasKept(localX, private, false)
	p.startKept(j, lasts)
	p.keep()
	p.closeJob(j)
}

func keepsRests(p *process) {
	j := p.hasKept(localX, private, false)
	p.startKept(j, lasts)
	p.rest()
	p.closeJob(j)
}

func keepsEmpty(p *process) {
	j := p.hasKept(localX, private, false)
	p.keep()
	p.startKept(j, lasts)
	p.closeJob(j)
}

func keepsAwaits(p *process) {
	j := p.hasKept(localX, private, false)
	p.startKept(j, ends)
	p.awaitEnd(j)
	p.closeJob(j)
}

func keepsTerminates(p *process) {
	j := p.hasKept(localX, private, false)
	p.startKept(j, lasts)
	p.terminateKept(j)
	p.awaitEnd(j)
	p.closeJob(j)
}

func keepsAgain(p *process) {
	j := p.hasKept(localX, private, false)
	p.startKept(j, lasts)
	p.terminateKept(j)
	p.startKept(j, ends)
	p.awaitEnd(j)
	p.closeJob(j)
}

// leaves leaves a command that ends by itself.
func leaves(p *process) {
	j := p.hasKept(localX, private, true)
	p.startKept(j, ends)
	p.closeJob(j)
}

func opensKept(p *process) { p.closeJob(p.openKept(localX)) }

func terminatesKept(p *process) {
	j := p.hasKept(localX, private, false)
	p.terminateKept(j)
	p.closeJob(j)
}

func terminatesAwaitsKept(p *process) {
	j := p.hasKept(localX, private, false)
	p.terminateKept(j)
	p.awaitEnd(j)
	p.closeJob(j)
}

// sharesKept has a job of all users with a command that lasts.
func sharesKept(p *process) {
	j := p.hasKept(globalX, public, false)
	p.startKept(j, lasts)
	p.keep()
	p.closeJob(j)
}

// sharesKeptRests is sharesKept, but closes the job when nobody else can go on.
func sharesKeptRests(p *process) {
	j := p.hasKept(globalX, public, false)
	p.startKept(j, lasts)
	p.rest()
	p.closeJob(j)
}

// sharesKeptShort has a job of all users whose command ends by itself.
func sharesKeptShort(p *process) {
	j := p.hasKept(globalX, public, false)
	p.startKept(j, func(command *process) {
		command.keep()
		command.step()
	})
	p.keep()
	p.closeJob(j)
}

// sharesKeptEmpty starts a command in a job of all users later, which ends by itself.
func sharesKeptEmpty(p *process) {
	j := p.hasKept(globalX, public, false)
	p.keep()
	p.startKept(j, ends)
	p.closeJob(j)
}

// sharesKeptTwice starts a second command when the first has ended.
func sharesKeptTwice(p *process) {
	j := p.hasKept(globalX, public, false)
	p.startKept(j, ends)
	p.awaitEnd(j)
	p.startKept(j, (*process).rest)
	p.closeJob(j)
}

// awaitsShown awaits the end of a command that the keepers know of.
func awaitsShown(p *process) {
	j := p.hasKept(globalX, public, false)
	p.block(func() bool {
		members := p.sim.cgroupOf(j).members
		return len(members) > 1 && members[1].known
	})
	p.awaitEnd(j)
	p.closeJob(j)
}

func awaitsGlobal(p *process) {
	j := p.hasKept(globalX, public, false)
	p.awaitEnd(j)
	p.closeJob(j)
}

func terminatesGlobal(p *process) {
	j := p.hasKept(globalX, public, false)
	p.terminateKept(j)
	p.awaitEnd(j)
	p.closeJob(j)
}

var (
	keptX           = []actor{{ann, keepsLong}}
	keptRests       = []actor{{ann, keepsRests}}
	keptEmpty       = []actor{{ann, keepsEmpty}}
	keptGlobal      = []actor{{ann, sharesKept}}
	keptGlobalRests = []actor{{ann, sharesKeptRests}}
	keptGlobalShort = []actor{{ann, sharesKeptShort}}
	keptGlobalEmpty = []actor{{ann, sharesKeptEmpty}}
	keptGlobalTwice = []actor{{ann, sharesKeptEmpty}, {ann, sharesKeptEmpty}}
)

// keeperWorlds are explored to the end.
var keeperWorlds = []world{
	{name: "a kept job and its last handle", steady: true, kills: 1, actors: []actor{{ann, keeps}}},
	{name: "a kept job whose command ends", steady: true, actors: []actor{{ann, keepsAwaits}}},
	{name: "a kept job that is terminated", actors: []actor{{ann, keepsTerminates}}},
	{name: "a kept job whose members are left", steady: true, actors: []actor{{ann, leaves}}},
	{name: "a kept job, opener", steady: true, before: keptX, actors: []actor{{ann, opensKept}}},
	{name: "a kept job whose handle relocks", steady: true, before: keptX, actors: []actor{{ann, relocks}}},

	{name: "a kept job and its last handle, keepers killed", steady: true, vast: true, kills: 3,
		actors: []actor{{ann, keeps}}},
	{name: "a kept job whose command ends, keepers killed", steady: true, robust: true, vast: true, kills: 2,
		actors: []actor{{ann, keepsAwaits}}},
	{name: "a kept job that is terminated, keepers killed", robust: true, vast: true, kills: 2,
		actors: []actor{{ann, keepsTerminates}}},
	{name: "a kept job whose members are left, keepers killed", steady: true, vast: true, kills: 2,
		actors: []actor{{ann, leaves}}},
	{name: "a kept job, opener, keepers killed", steady: true, vast: true, kills: 2, before: keptX,
		actors: []actor{{ann, opensKept}}},
	{name: "a kept job, creator", steady: true, vast: true, kills: 1, before: keptX,
		actors: []actor{{ann, createsJob}}},
	{name: "a kept job, opener or creator", steady: true, vast: true, before: keptX,
		actors: []actor{{ann, eitherJob}}},
	{name: "a kept job, cleaner", steady: true, vast: true, kills: 3, before: keptX,
		actors: []actor{{ann, cleans}}},
	{name: "a kept job, terminator killed", vast: true, kills: 1, before: keptRests,
		actors: []actor{{ann, terminatesKept}}},
	{name: "another's kept job, creator", steady: true, robust: true, vast: true, before: keptGlobal,
		actors: []actor{{bob, sharesJobAnew}}},
	{name: "another's kept job, terminator", robust: true, vast: true, before: keptGlobalRests,
		actors: []actor{{bob, terminatesGlobal}}},
	{name: "another's kept job whose command ends", steady: true, robust: true, vast: true, kills: 2,
		before: keptGlobalShort, actors: []actor{{bob, awaitsGlobal}}},
}

// largeKeeperWorlds are too large for that.
var largeKeeperWorlds = []world{
	{name: "a start of keepers, opener", steady: true, vast: true, kills: 3, before: keptEmpty,
		actors: []actor{{ann, opensKept}}},
	{name: "a start of keepers, terminator", vast: true, kills: 2, before: keptEmpty,
		actors: []actor{{ann, terminatesKept}}},
	{name: "a start of keepers, another's wait", steady: true, vast: true, kills: 1, before: keptGlobalEmpty,
		actors: []actor{{bob, awaitsGlobal}}},
	{name: "a kept start after the termination", vast: true, kills: 2, actors: []actor{{ann, keepsAgain}}},
	{name: "a kept start after another, another's wait", steady: true, vast: true,
		actors: []actor{{ann, sharesKeptTwice}, {bob, awaitsShown}}},
	{name: "two starts of keepers", steady: true, vast: true, kills: 3, before: keptEmpty,
		actors: []actor{{ann, keeps}}},
	{name: "two starts of keepers, another's wait", steady: true, vast: true, before: keptGlobalTwice,
		actors: []actor{{bob, awaitsGlobal}}},
	{name: "two kept starts", steady: true, vast: true, kills: 3, before: keptX, actors: []actor{{ann, keeps}}},
	{name: "two kept starts and a terminator", vast: true, kills: 1, before: keptEmpty,
		actors: []actor{{ann, keeps}, {ann, terminatesKept}}},
	{name: "a kept job, terminator, keepers killed", robust: true, vast: true, kills: 2, before: keptX,
		actors: []actor{{ann, terminatesAwaitsKept}}},
	{name: "another's kept job, creator, keepers killed", steady: true, robust: true, vast: true, kills: 2,
		before: keptGlobal, actors: []actor{{bob, sharesJobAnew}}},
	{name: "another's kept job, terminator killed", vast: true, kills: 1, before: keptGlobalRests,
		actors: []actor{{bob, terminatesGlobal}}},
}

// TestSeededKeeperBugs breaks what keepers are told, and what they do.
func TestSeededKeeperBugs(t *testing.T) {
	notForRaces(t)
	bugs := []struct {
		name   string
		keeper func(*keeperThread) jobguard.Keeper
	}{
		{"other keepers are not looked for", func(t *keeperThread) jobguard.Keeper { return deaf{t} }},
		{"the locks are taken in two steps", func(t *keeperThread) jobguard.Keeper { return halved{t} }},
		{"the inner keeper's end is the job's", func(t *keeperThread) jobguard.Keeper { return content{t} }},
		{"the name stays", func(t *keeperThread) jobguard.Keeper { return untidyKeeper{t} }},
		{"handles are not looked for after the wait", func(t *keeperThread) jobguard.Keeper { return rash{t} }},
		{"the lock is kept for the killing", func(t *keeperThread) jobguard.Keeper { return selfishKeeper{t} }},
		{"the members are not killed", func(t *keeperThread) jobguard.Keeper { return gentle{t} }},
		{"the cgroup is not removed", func(t *keeperThread) jobguard.Keeper { return lazy{t} }},
		{"those that were terminated are not killed", func(t *keeperThread) jobguard.Keeper { return idle{t} }},
		{"the newest are killed too", func(t *keeperThread) jobguard.Keeper { return zealous{t} }},
		{"a cgroup is removed under a start", func(t *keeperThread) jobguard.Keeper { return rough{t} }},
		{"members are not shown again", func(t *keeperThread) jobguard.Keeper { return secretive{t} }},
		{"no wait is told of the end", func(t *keeperThread) jobguard.Keeper { return silentKeeper{t} }},
	}
	for _, bug := range bugs {
		t.Run(bug.name, func(t *testing.T) {
			wrap := func(p *process) Host { return brokenKeepers{p, bug.keeper} }
			for seed := range uint64(walks / 10) {
				for _, w := range slices.Concat(keeperWorlds, largeKeeperWorlds) {
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

// brokenKeepers has the keepers of a machine have a bug.
type brokenKeepers struct {
	*process
	keeper func(*keeperThread) jobguard.Keeper
}

func (b brokenKeepers) breakKeeper(t *keeperThread) jobguard.Keeper { return b.keeper(t) }

// deaf keeps beside others.
type deaf struct{ *keeperThread }

func (d deaf) LockBytes() (bool, error) {
	d.step()
	return d.begins(true), nil
}

// halved lets other processes go on between its locks.
type halved struct{ *keeperThread }

func (h halved) LockBytes() (bool, error) {
	h.step()
	if !h.file().tryLockByte(layout.KeepersByte, exclusive) {
		return h.begins(false), nil
	}
	h.begins(true)
	h.step()
	h.file().tryLockByte(layout.MembersByte, exclusive)
	return true, nil
}

// content does not look how the inner keeper has ended.
type content struct{ *keeperThread }

func (c content) AwaitInner() bool {
	c.keeperThread.AwaitInner()
	return true
}

type untidyKeeper struct{ *keeperThread }

func (untidyKeeper) Unlink() {}

// rash takes the lock for proof that no handle is left.
type rash struct{ *keeperThread }

func (rash) HasHandle() bool { return false }

type selfishKeeper struct{ *keeperThread }

func (selfishKeeper) Unlock() {}

// gentle kills nobody at the end.
type gentle struct{ *keeperThread }

func (gentle) EndMembers() {}

// lazy leaves the cgroup.
type lazy struct{ *keeperThread }

func (lazy) Remove() bool { return true }

// idle leaves the killing to the process that terminates the job.
type idle struct{ *keeperThread }

func (i idle) KillStopped() bool {
	i.keeper.stop = i.stops()
	return true
}

// zealous kills what has started since.
type zealous struct{ *keeperThread }

func (z zealous) KillStopped() bool {
	z.keeper.cgroup.killStopped(z.process, z.stops()+1)
	return z.keeperThread.KillStopped()
}

// rough does not look whether a start has a cgroup locked.
type rough struct{ *keeperThread }

func (r rough) RemoveStopped() {
	for _, g := range r.keeper.cgroup.groups {
		g.starters = 0
	}
	r.keeperThread.RemoveStopped()
}

// secretive shows members at the start of the keepers only.
type secretive struct{ *keeperThread }

func (s secretive) LockMembersByte() {
	for _, m := range s.keeper.cgroup.members {
		m.known = m.known || m.lives
	}
}

type silentKeeper struct{ *keeperThread }

func (silentKeeper) Announce() {}
