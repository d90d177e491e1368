package objmgr

import (
	"slices"

	"github.com/filemap-go/filemap/internal/layout"
)

// The cgroups of jobs, as far as keepers and handles use them, and what the oracle
// knows of the members in them. It objects when
//
//   - a member is killed though its job has a handle, and nobody has terminated the
//     job since its start was called,
//   - keepers kill for want of handles while they have the file locked, for which
//     openers wait, or while the job has its name,
//   - a command is started where the job's members are being removed, or dies of a
//     termination before its start,
//   - a member lives when only time can pass, though its job was terminated, or has no
//     handles, and not all keepers were killed,
//   - a job has two pairs of keepers, or keepers outlive their work,
//   - a wait for the end returns though the job had members all the time. One that
//     cannot see the cgroup may return until the keepers know of them,
//   - the cgroup is left at the end, and not all keepers were killed.

// simCgroup is the cgroup of a job.
type simCgroup struct {
	sim     *simulation
	job     life
	uid     uint32 // of the user that sees it
	path    string
	leave   bool
	removed bool
	changes int // of whether it has members
	groups  []*simGroup
	pairs   []*simPair
	members []*simMember
}

// simGroup is a cgroup in that: of those that started after so many terminations.
type simGroup struct {
	number   uint64
	killed   bool
	removed  bool
	starters int // how many have it locked
}

// simMember is a command in a cgroup.
type simMember struct {
	*process
	group  *simGroup
	before uint64 // how often the job was terminated when its start was called
	lives  bool
	known  bool // to the keepers, which then show it to processes that can't see the cgroup
}

func (c *simCgroup) hash() hash {
	var h hash
	h.addBool(c.removed)
	for _, g := range c.groups {
		h.add(g.number, uint64(g.starters))
		h.addBool(g.killed)
		h.addBool(g.removed)
	}
	for _, m := range c.members {
		h.add(m.group.number, m.before)
		h.addBool(m.lives)
		h.addBool(m.known)
	}
	for _, pair := range c.pairs {
		h.add(uint64(pair.hash()))
	}
	return h
}

func (c *simCgroup) populated() bool {
	return slices.ContainsFunc(c.members, func(m *simMember) bool { return m.lives })
}

// group returns the cgroup of a number, which it makes if there is none.
func (c *simCgroup) group(number uint64) *simGroup {
	for _, g := range c.groups {
		if g.number == number && !g.removed {
			return g
		}
	}
	g := &simGroup{number: number}
	c.groups = append(c.groups, g)
	return g
}

// start starts a command.
func (c *simCgroup) start(by *process, m *simMember, script func(*process)) {
	switch stops := c.stops(); {
	case c.removed || m.group.removed:
		c.sim.fail(by, "starts a command in a cgroup that was removed")
	case m.group.killed && stops == m.before:
		c.sim.fail(by, "starts a command where those before were killed")
	}
	if m.group.killed {
		by.log("starts", "", "no command: the job was terminated")
		return
	}
	c.sim.start(by.uid, func(p *process) {
		p.part = true
		p.history.add(uint64(by.id), uint64(taskCommand), by.operations)
		m.process, m.lives = p, true
		m.known = c.isShown(by)
		p.atExit = func() {
			m.lives = false
			c.changed()
		}
		c.members = append(c.members, m)
		c.changed()
		script(p)
	})
	by.log("starts", "", "a command in the cgroup")
}

// isShown reports whether a process that can't see the cgroup takes it for one with
// members since its keepers have begun.
func (c *simCgroup) isShown(by *process) bool {
	begins := func(pair *simPair) bool { return pair.first && !pair.looked && pair.runs() }
	if !slices.ContainsFunc(c.pairs, begins) {
		return false
	}
	if d := (&description{inode: c.job.inode}); !d.othersByte(layout.MembersByte) {
		c.sim.fail(by, "starts a command that nobody shows")
	}
	return true
}

func (c *simCgroup) changed() {
	c.changes++
	c.sim.changes++
}

// stops returns how often the job was terminated.
func (c *simCgroup) stops() uint64 { return (&simStart{life: c.job}).stops() }

// killStopped kills the members that started before a termination, in steps of a
// process.
func (c *simCgroup) killStopped(by *process, stop uint64) {
	for _, g := range slices.Clone(c.groups) {
		if g.number < stop && !g.removed {
			by.step()
			c.kill(by, g)
		}
	}
}

// killAll kills the members of a dead job.
func (c *simCgroup) killAll(by *process) {
	for _, g := range c.groups {
		c.kill(by, g)
	}
}

func (c *simCgroup) kill(by *process, g *simGroup) {
	g.killed = true
	for _, m := range c.members {
		if m.group != g || !m.lives {
			continue
		}
		if c.sim.held(c.job) && c.stops() == m.before {
			c.sim.fail(by, "killed a member of a living job that nobody terminated")
		}
		by.log("kills", "", "a member")
		m.process.kill()
	}
}

// removeStopped removes the cgroups of the members that a termination killed.
func (c *simCgroup) removeStopped(stop uint64) {
	for _, g := range c.groups {
		isIn := func(m *simMember) bool { return m.group == g && m.lives }
		if g.number < stop && g.starters == 0 && !slices.ContainsFunc(c.members, isIn) {
			g.removed = true
		}
	}
}

// remove reports whether the cgroup is removed.
func (c *simCgroup) remove() bool {
	if !c.removed && c.populated() {
		return false
	}
	c.removed = true
	c.changed()
	return true
}

// forsaken reports whether keepers that had to do with it were killed, both.
func (c *simCgroup) forsaken() bool { return slices.ContainsFunc(c.pairs, (*simPair).dead) }

// kept reports whether it has keepers that have begun.
func (c *simCgroup) kept() bool {
	return slices.ContainsFunc(c.pairs, func(pair *simPair) bool { return pair.first && !pair.dead() })
}

// hasKeptMember reports whether the job of a process's wait has a member that the
// process must know of.
func (s *simulation) hasKeptMember(p *process) bool {
	for _, c := range s.cgroups {
		isMember := func(m *simMember) bool {
			return m.lives && (p.uid == c.uid || m.known && !c.forsaken())
		}
		if c.job == p.operation.objects[0].life() && slices.ContainsFunc(c.members, isMember) {
			return true
		}
	}
	return false
}

// checkStoppedKept is checkStopped for members in cgroups.
func (s *simulation) checkStoppedKept() {
	for _, c := range s.cgroups {
		for _, m := range c.members {
			if m.lives && c.kept() && c.job == c.job.inode.life() && m.group.number < c.stops() {
				s.fail(m.process, "survived the termination of its job")
			}
		}
	}
}

// checkKept is checkStarts for members in cgroups.
func (s *simulation) checkKept() {
	for _, c := range s.cgroups {
		for _, m := range c.members {
			if m.lives && c.kept() && !s.held(c.job) {
				s.fail(m.process, "survived its job")
			}
		}
		for _, pair := range c.pairs {
			for _, k := range []*simGuard{pair.outer, pair.inner} {
				if k != nil && k.main.phase != gone {
					s.fail(k.main, "keeps nobody")
				}
			}
		}
	}
}
