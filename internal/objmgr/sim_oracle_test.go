package objmgr

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/object"
)

// The oracle watches the simulation from outside, where it sees all files and
// locks at once, and knows what every process has been told. It objects when
//
//   - the name of a handle does not lead to the handle's object,
//   - a process opened, or heard of, an object of another name,
//   - a handle's or a view's object was made into another, or has another size,
//   - two creators were told that they made the same object,
//   - a process opened, or heard of, an object that nobody held at any moment
//     of its call, or did not find one that somebody held all the time,
//   - the file behind a handle is shorter than its mapping, or an operation that
//     failed left such a file changed,
//   - an operation gave up although nobody disturbed it, left a file open, or
//     failed in a way that its script does not expect.

// life is an object: a file, from when it was emptied to when it is again.
type life struct {
	*inode
	number int
}

func (i *inode) life() life { return life{i, i.lives} }

// handle is what a process was given for a name.
type handle struct {
	mapping *Mapping
	file    string
	object  life
	lost    bool // somebody removed the name by hand
}

// view is what a process maps, with or without a handle.
type view struct {
	lock   *ViewLock
	object life
}

// operation is what a process is doing, and what the oracle needs to judge it.
type operation struct {
	verb  string
	file  string // the name it is about, if it is about one
	begun bool

	unbroken  bool     // somebody has had a handle to the name's object all the time
	seen      []life   // objects that somebody else held under the name at some moment
	disturbed bool     // another process did something meanwhile
	viewed    bool     // somebody had a view of the name's object at some moment
	misled    bool     // the name led to the file of another name at some moment
	objects   []*inode // whose state it is about
	empty     bool     // the job had no members at some moment
	releases  func()   // ends the oracle's claims on what the operation gives up
}

// errNotExpected is what fail wraps, for tests that expect it.
var errNotExpected = errors.New("must not happen")

// fail records the first thing that must not happen.
func (s *simulation) fail(p *process, format string, args ...any) {
	if s.failure == nil {
		s.failure = fmt.Errorf("P%d %s %s: %s %w", p.id, p.operation.verb, p.operation.file,
			fmt.Sprintf(format, args...), errNotExpected)
	}
}

// begin tells the oracle that a step of an operation is about to be done.
func (s *simulation) begin(p *process) {
	if op := &p.operation; !op.begun {
		op.begun = true
		if op.releases != nil {
			op.releases()
		}
		op.unbroken = s.hasHandle(op.file)
		s.observe(p)
		s.observeJob(p)
	}
	for _, other := range s.processes {
		other.operation.disturbed = other.operation.disturbed || other != p
	}
}

// hasHandle reports whether somebody has a handle to a name's object.
func (s *simulation) hasHandle(file string) bool {
	for _, p := range s.processes {
		for _, h := range p.handles {
			if h.file == file && !h.lost {
				return true
			}
		}
	}
	return false
}

// dropHandle ends what the oracle expects of a handle.
func (s *simulation) dropHandle(p *process, h *handle) {
	p.handles = slices.DeleteFunc(p.handles, func(other *handle) bool { return other == h })
	s.breakName(h.file)
}

// breakName notes that a name's object may be dead from now on.
func (s *simulation) breakName(file string) {
	if s.hasHandle(file) {
		return
	}
	for _, p := range s.processes {
		if p.operation.file == file {
			p.operation.unbroken = false
		}
	}
}

// loseHandles is dropHandle for all that a process had.
func (s *simulation) loseHandles(p *process) {
	handles := p.handles
	p.handles, p.views = nil, nil
	for _, h := range handles {
		s.breakName(h.file)
	}
}

// loseName tells the oracle that a stranger removed a name.
func (s *simulation) loseName(file string) {
	for _, p := range s.processes {
		for _, h := range p.handles {
			h.lost = h.lost || h.file == file
		}
	}
	s.breakName(file)
}

// observe notes which object others hold under the name of p's operation.
func (s *simulation) observe(p *process) {
	i := s.names[p.operation.file]
	if i == nil || !p.operation.begun {
		return
	}
	isView := func(d *description) bool { return d.view }
	p.operation.viewed = p.operation.viewed || slices.ContainsFunc(i.open, isView)
	p.operation.misled = p.operation.misled || i.madeFor != p.operation.file
	if slices.Contains(p.operation.seen, i.life()) || i.madeFor != p.operation.file {
		return
	}
	holds := func(d *description) bool { return d.holds(p) }
	if slices.ContainsFunc(i.open, holds) {
		p.operation.seen = append(p.operation.seen, i.life())
	}
}

// holds reports whether the description is one that keeps its object alive, in
// the eyes of process p: a handle, until it is closed to the end, or one that
// another process is about to be given. It may be about to be given what it
// makes, and what it found alive.
func (d *description) holds(p *process) bool {
	op := &d.owner.operation
	switch {
	case d.handle:
		return true
	case d.owner == p || d.bytes[layout.HandleByte(d.madeFor)] == unlocked:
		return false
	}
	return op.verb == "create" && d.maker == d.owner || slices.Contains(op.seen, d.life())
}

// check looks at everything after a step.
func (s *simulation) check() {
	for _, p := range s.processes {
		if p.phase != running {
			continue
		}
		for _, h := range p.handles {
			if !h.lost {
				s.checkHandle(p, h)
			}
		}
		for _, v := range p.views {
			if v.object != v.object.inode.life() {
				s.fail(p, "a view shows another object")
			}
		}
		s.observe(p)
		s.observeJob(p)
	}
	s.checkMembers()
}

func (s *simulation) checkHandle(p *process, h *handle) {
	switch i := s.names[h.file]; {
	case i == nil:
		s.fail(p, "a handle's name %s is gone", h.file)
	case i != h.object.inode:
		s.fail(p, "a handle's name %s leads to another object", h.file)
	case i.life() != h.object:
		s.fail(p, "the object of a handle to %s was made into another", h.file)
	case h.mapping != nil && h.mapping.backing != nil:
		if s.outside == nil || s.outside.size < h.mapping.Size {
			s.fail(p, "the file behind a handle to %s is too short", h.file)
		}
	case h.mapping != nil && h.mapping.Size != i.size:
		s.fail(p, "a handle to %s has size %d, its object %d", h.file, h.mapping.Size, i.size)
	}
}

// judge says what must not be so at the end of an operation on a name.
func (s *simulation) judge(p *process, err error, opened *handle) {
	op := &p.operation
	switch {
	case opened != nil && op.verb == "create" && s.creators[opened.object]:
		s.fail(p, "made an object that another process made")
	case opened != nil && op.verb == "create":
		s.creators[opened.object] = true
	case opened != nil && !slices.Contains(op.seen, opened.object):
		s.fail(p, "opened a dead object")
	case errors.Is(err, fs.ErrExist), errors.Is(err, object.ErrWrongKind):
		if len(op.seen) == 0 {
			s.fail(p, "heard of a dead object: %v", err)
		}
	case errors.Is(err, errBusy):
		if !op.disturbed {
			s.fail(p, "gave up although nobody disturbed it")
		}
	case errors.Is(err, object.ErrPermission):
		if !op.viewed && !op.misled {
			s.fail(p, "was refused without a reason: %v", err)
		}
	case errors.Is(err, fs.ErrNotExist) && op.unbroken:
		s.fail(p, "did not find an object that was there all the time")
	}
}

// checkFiles objects to files that an operation left open.
func (s *simulation) checkFiles(p *process) {
	shared := make(map[FD]bool)
	wanted := 0
	for _, h := range p.handles {
		if !shared[h.mapping.fd] {
			wanted++
		}
		shared[h.mapping.fd] = true
		if h.mapping.backing != nil {
			wanted++
		}
	}
	for _, v := range p.views {
		if v.lock != nil {
			wanted++
		}
	}
	if got := p.openFiles(); got != wanted {
		s.fail(p, "has %d files open, want %d", got, wanted)
	}
}
