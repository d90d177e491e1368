package objmgr

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/filemap-go/filemap/object"
)

// guard is what the oracle knows of a mutex or a semaphore: never more holders
// than permits, and the truth about abandoned mutexes.
type guard struct {
	permits int // at birth; 1 of a mutex
	tracked bool
	holders map[*process]int

	mustAbandon bool // the last holder died with the mutex
	mayAbandon  bool // somebody died who locked or unlocked it
}

func (g *guard) out() (n int) {
	for _, held := range g.holders {
		n += held
	}
	return n
}

func (g *guard) hash() hash {
	var h, holders hash
	for p, n := range g.holders {
		var one hash
		one.add(uint64(p.id), uint64(n))
		holders += one
	}
	h.add(uint64(holders))
	h.addBool(g.mustAbandon)
	h.addBool(g.mayAbandon)
	return h
}

// loseHolds tells the oracle that a process died.
func (s *simulation) loseHolds(p *process) {
	for i, g := range s.guards {
		if g.holders[p] > 0 {
			g.mustAbandon = true
		}
		if g.permits == 1 || g.tracked {
			delete(g.holders, p)
		}
		if slices.Contains(p.operation.objects, i) {
			g.mayAbandon = true
		}
	}
}

// object opens or makes an object before the process's first step of interest.
func (p *process) object(name string, spec SyncSpec) *Sync {
	p.quiet = true
	defer func() { p.quiet = false }()
	spec.Name, spec.Mode = object.Name{Base: name}, private
	s, err := p.manager.OpenSync(spec.Name, spec.Kind)
	if errors.Is(err, fs.ErrNotExist) {
		s, err = p.manager.CreateSync(spec)
	}
	if err != nil {
		panic(err)
	}
	if i := p.files[s.fd].inode; p.sim.guards[i] == nil {
		p.sim.guards[i] = &guard{
			permits: max(1, int(spec.Count)), tracked: spec.Tracked, holders: make(map[*process]int),
		}
	}
	return s
}

func (p *process) mutex(name string) *Sync { return p.object(name, SyncSpec{Kind: object.Mutex}) }
func (p *process) event(name string) *Sync { return p.object(name, SyncSpec{Kind: object.Event}) }

func (p *process) semaphore(name string, count uint32, tracked bool) *Sync {
	return p.object(name, SyncSpec{Kind: object.Semaphore, Count: count, Max: count, Tracked: tracked})
}

// contend does one operation on the state of objects.
func (p *process) contend(verb string, do func() error, objects ...*Sync) {
	p.operation = operation{verb: verb}
	for _, s := range objects {
		p.operation.objects = append(p.operation.objects, p.files[s.fd].inode)
	}
	err := do()
	if err != nil {
		p.sim.fail(p, "%v", err)
	}
	p.operation = operation{}
	p.operations++
	p.history = 0
	p.history.add(p.operations)
	p.logf("-- "+verb, "")
}

func (p *process) guardOf(s *Sync) *guard { return p.sim.guards[p.files[s.fd].inode] }

// takes notes that the process was given an object.
func (p *process) takes(s *Sync, got Taken) {
	g := p.guardOf(s)
	if g.out() >= g.permits {
		p.sim.fail(p, "was given what others hold")
	}
	if s.kind == object.Mutex && got.Abandoned && !g.mustAbandon && !g.mayAbandon {
		p.sim.fail(p, "was told that a mutex is abandoned")
	}
	if s.kind == object.Mutex && !got.Abandoned && g.mustAbandon {
		p.sim.fail(p, "was not told that a mutex is abandoned")
	}
	g.mustAbandon, g.mayAbandon = false, false
	g.holders[p]++
}

// gives notes that the process is about to give an object back.
func (p *process) gives(s *Sync) {
	g := p.guardOf(s)
	if g.holders[p]--; g.holders[p] == 0 {
		delete(g.holders, p)
	}
}

func (p *process) lock(s *Sync) (got Taken) {
	p.contend("lock", func() (err error) {
		var ok bool
		if got, ok = s.TryLock(); !ok {
			got, err = s.Wait(p.waits)
		}
		if err == nil {
			p.takes(s, got)
		}
		return err
	}, s)
	return got
}

func (p *process) unlock(s *Sync, hold Taken) {
	p.contend("unlock", func() error {
		p.gives(s)
		return s.Unlock(hold.Hold)
	}, s)
}

func (p *process) acquire(s *Sync) {
	p.contend("acquire", func() error {
		got, err := s.Wait(p.waits)
		if err == nil {
			p.takes(s, got)
		}
		return err
	}, s)
}

func (p *process) release(s *Sync) {
	p.contend("release", func() error {
		p.gives(s)
		_, err := s.ReleaseSemaphore(1)
		return err
	}, s)
}

func (p *process) lockAll(all ...*Sync) (got []Taken) {
	p.contend("lock all", func() (err error) {
		got, err = p.manager.WaitAll(p.waits, all)
		for i := range got {
			p.takes(all[i], got[i])
		}
		return err
	}, all...)
	return got
}

func (p *process) set(e *Sync) { p.contend("set", e.SetEvent, e) }

func (p *process) await(e *Sync) {
	p.contend("wait", func() error {
		_, err := e.Wait(p.waits)
		return err
	}, e)
}

func (p *process) awaitAll(all ...*Sync) {
	p.contend("wait for all", func() error {
		_, err := p.manager.WaitAll(p.waits, all)
		return err
	}, all...)
}

// endOthers ends the contexts of other processes' waits.
func (p *process) endOthers() {
	p.step()
	p.sim.changes++
	for _, other := range p.sim.processes {
		if other != p {
			other.ended = true
			other.endWaits(errEnded)
			other.words = nil
		}
	}
	p.logf("end", "the waits of others")
}

var errEnded = errors.New("the context has ended")

// ending is a process's context that others may end: to look at it is a step.
type ending struct {
	context.Context
	p *process
}

func (e ending) Err() error {
	e.p.step()
	err := e.Context.Err()
	e.p.history.addError(err)
	return err
}
