package objmgr

import (
	"encoding/binary"
	"errors"
	"slices"
)

// simulation is one run of a world.
type simulation struct {
	machine
	processes []*process
	creators  map[life]bool // objects that somebody was told to have made
	kills     int           // how many are left
	killed    bool          // somebody was
	robust    bool          // nobody may wait for ever though others were killed
	changes   int           // of memory and locks, so far
	now       int64         // what all clocks show
	guards    map[*inode]*guard
	starts    []*simStart
	cgroups   []*simCgroup
	begun     bool // what is before the world has been done
	steady    bool // nobody terminates a job
	wrap      func(*process) Host
	failure   error
	tracing   bool
	trace     []string
}

// choice is what happens next: a step of a process, or its death.
type choice struct {
	process int
	kill    bool
}

// choices appends what can happen next. It is nothing at the end.
func (s *simulation) choices(to []choice) []choice {
	for i, p := range s.processes {
		if p.canStep() && !p.paused {
			to = append(to, choice{i, false})
		}
	}
	if len(to) == 0 {
		s.checkStopped()
		s.checkStoppedKept()
		to = s.timeouts(to)
	}
	if len(to) == 0 {
		s.checkAsleep()
		s.checkStarts()
		s.checkKept()
		return to
	}
	for i, p := range s.processes {
		if s.kills > 0 && p.phase == running && !p.part {
			to = append(to, choice{i, true})
		}
	}
	return to
}

// take makes a choice happen.
func (s *simulation) take(c choice) {
	p := s.processes[c.process]
	switch {
	case c.kill:
		s.kills--
		s.killed = true
		p.struck = true
		p.kill()
	case p.phase == dying:
		p.die()
	default:
		s.passTime(p)
		p.run()
	}
	s.unpause(p)
	s.check()
}

// settle goes on until nobody can go on.
func (s *simulation) settle() {
	for {
		i := slices.IndexFunc(s.processes, func(p *process) bool { return p.canStep() && !p.paused })
		if i < 0 {
			return
		}
		s.take(choice{process: i})
	}
}

// unpause ends the pauses of all but the process that took a step, or of that
// one if no other can take one.
func (s *simulation) unpause(stepped *process) {
	isOther := func(p *process) bool { return p != stepped && p.canStep() }
	for _, p := range s.processes {
		p.paused = p.paused && p == stepped && slices.ContainsFunc(s.processes, isOther)
	}
}

// finish lets one process after the other go on to its end, and each user
// clean up. It fails if something is left then.
func (s *simulation) finish() {
	s.kills = 0
	users := make(map[uint32]bool)
	for _, p := range s.processes {
		users[p.uid] = true
	}
	for uid := range users {
		s.start(uid, (*process).clean)
	}
	for steps := 0; s.failure == nil; steps++ {
		next := s.choices(nil)
		switch {
		case len(next) == 0:
			s.checkEmpty()
			return
		case steps > 1000:
			s.fail(s.processes[next[0].process], "does not end")
		}
		s.take(next[0])
	}
}

func (s *simulation) checkEmpty() {
	for _, name := range s.sorted() {
		s.fail(s.processes[0], "at the end, %s is left", name)
	}
	for _, c := range s.cgroups {
		if !c.removed && !c.forsaken() {
			s.fail(s.processes[0], "at the end, the cgroup is left")
		}
	}
}

// abandon ends the scripts of a run that is of no more interest.
func (s *simulation) abandon() {
	for _, p := range s.processes {
		p.phase = gone
		p.stop()
	}
}

// hash sums up what a state is made of.
type hash uint64

func (h *hash) add(values ...uint64) {
	for _, v := range values {
		x := uint64(*h) ^ v
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		*h = hash(x ^ x>>31 + 1)
	}
}

func (h *hash) addString(s string) {
	for i := range len(s) {
		h.add(uint64(s[i]))
	}
	h.add(uint64(len(s)))
}

func (h *hash) addBool(b bool) {
	if b {
		h.add(1)
	} else {
		h.add(2)
	}
}

// addError adds an error's text: the same errors always have the same.
func (h *hash) addError(err error) {
	if err == nil {
		h.add(0)
	} else {
		h.addString(err.Error())
	}
}

// state returns what decides about everything that can still happen: two runs
// that come to the same state need not both go on.
func (s *simulation) state() hash {
	var all hash
	all.add(uint64(s.kills))
	var names hash // a sum, for maps have no order
	for name, i := range s.names {
		var one hash
		one.addString(name)
		one.add(i.id)
		names += one
	}
	all.add(uint64(names))
	var files hash // a sum, for the order in which files were made is of no matter
	for _, i := range s.inodes {
		if i.links > 0 || len(i.open) > 0 {
			files += i.hash(s.creators[i.life()])
			if g := s.guards[i]; g != nil {
				files += g.hash()
			}
		}
	}
	all.add(uint64(files))
	for _, p := range s.processes {
		all.add(uint64(p.hash()))
	}
	for _, st := range s.starts {
		all.add(uint64(st.hash()))
	}
	for _, c := range s.cgroups {
		all.add(uint64(c.hash()))
	}
	all.add(uint64(s.now))
	all.addBool(s.killed)
	all.addBool(s.outside != nil)
	return all
}

func (i *inode) hash(created bool) hash {
	var h hash
	h.add(i.id, uint64(i.mode), uint64(i.links), uint64(i.size), uint64(i.lives), uint64(len(i.page)))
	h.addBool(created)
	for offset := 0; offset+8 <= len(i.page); offset += 8 {
		if word := binary.LittleEndian.Uint64(i.page[offset:]); word != 0 {
			h.add(uint64(offset), word)
		}
	}
	return h
}

func (p *process) hash() hash {
	var h hash
	h.add(uint64(p.phase), uint64(p.history))
	h.addBool(p.paused)
	p.sleeper.addTo(&h, p.sim)
	for _, d := range p.files {
		if d != nil {
			h.add(d.id, uint64(d.whole), uint64(d.forks))
			var bytes hash // a sum, for maps have no order
			for pos, l := range d.bytes {
				var one hash
				one.add(uint64(pos), uint64(l))
				bytes += one
			}
			h.add(uint64(bytes))
		}
	}
	for _, handle := range p.handles {
		h.add(handle.object.id, uint64(handle.object.number))
		h.addBool(handle.lost)
	}
	op := &p.operation
	h.addBool(op.begun)
	h.addBool(op.unbroken)
	h.addBool(op.disturbed)
	h.addBool(op.viewed)
	h.addBool(op.misled)
	h.addBool(op.empty)
	for _, seen := range op.seen {
		h.add(seen.id, uint64(seen.number))
	}
	return h
}

// isViolation reports whether an error is the oracle's.
func isViolation(err error) bool { return errors.Is(err, errNotExpected) }
