package objmgr

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/object"
)

// What scripts can do. Each is one operation to the oracle.

// attempt does one operation. The errors that it may come to, besides those
// that only the timing decides on, are the script's to name.
func (p *process) attempt(op operation, do func() error, may ...error) error {
	p.operation = op
	err := do()
	usual := []error{nil, fs.ErrExist, fs.ErrNotExist, object.ErrWrongKind, errBusy}
	if !slices.ContainsFunc(append(may, usual...), func(target error) bool { return errors.Is(err, target) }) {
		p.sim.fail(p, "unexpected error: %v", err)
	}
	return err
}

// end closes an operation: the next one depends on its outcome only.
func (p *process) end(err error, opened *handle) {
	if p.operation.file != "" {
		p.sim.judge(p, err, opened)
	}
	if opened != nil {
		p.files[opened.mapping.fd].handle = true
		p.handles = append(p.handles, opened)
	}
	p.sim.checkFiles(p)
	p.log("-- "+p.operation.verb, p.operation.file, fmt.Sprint(err))
	p.operation = operation{}
	p.operations++
	p.history = 0
	p.history.add(p.operations)
	p.history.addError(err)
}

const simSize = 100

// create makes a mapping. It returns nil if that fails.
func (p *process) create(name object.Name, mode uint32, may ...error) *handle {
	return p.createMapping(MappingSpec{Name: name, Mode: mode}, may...)
}

func (p *process) createMapping(spec MappingSpec, may ...error) *handle {
	spec.Size, spec.Context = simSize, context.Background()
	file := p.manager.FileName(spec.Name)
	var m *Mapping
	err := p.attempt(operation{verb: "create", file: file}, func() (err error) {
		m, err = p.manager.CreateMapping(spec)
		return err
	}, may...)
	return p.newHandle(m, file, err)
}

// createBacked makes a mapping that simPath backs. It returns nil if that fails.
func (p *process) createBacked(name object.Name, isFull bool) *handle {
	return p.createBackedBy(&simGrowth{p: p, isFull: isFull}, name, nil)
}

func (p *process) createBackedBy(g *simGrowth, name object.Name, init func(*Mapping) error) *handle {
	file := p.manager.FileName(name)
	var m *Mapping
	err := p.attempt(operation{verb: "create", file: file}, func() (err error) {
		m, err = p.manager.CreateMapping(MappingSpec{
			Name: name, Size: simSize, Mode: private, Context: context.Background(),
			File: g.look(), Init: init,
		})
		return err
	}, object.ErrNoSpace)
	if err != nil && (g.made && p.sim.outside != nil || g.grew) {
		p.sim.fail(p, "failed, and left the file changed: %v", err)
	}
	return p.newHandle(m, file, err)
}

// open opens a mapping. It returns nil if that fails.
func (p *process) open(name object.Name, write bool, may ...error) *handle {
	file := p.manager.FileName(name)
	var m *Mapping
	err := p.attempt(operation{verb: "open", file: file}, func() (err error) {
		m, err = p.manager.OpenMapping(noContext, name, write)
		return err
	}, may...)
	return p.newHandle(m, file, err)
}

func (p *process) newHandle(m *Mapping, file string, err error) *handle {
	if err != nil {
		p.end(err, nil)
		return nil
	}
	h := &handle{mapping: m, file: file, object: p.files[m.fd].life()}
	p.end(nil, h)
	return h
}

// openOrCreate is what the root package does, with fewer attempts.
func (p *process) openOrCreate(name object.Name, mode uint32) *handle {
	for range 2 {
		if h := p.open(name, true); h != nil {
			return h
		}
		if h := p.create(name, mode); h != nil {
			return h
		}
	}
	return nil
}

// createEvent makes an object that is no mapping.
func (p *process) createEvent(name object.Name, mode uint32) *handle {
	file := p.manager.FileName(name)
	page := layout.Control{Kind: object.Event, ID: 1}.Page()
	var o *Object
	err := p.attempt(operation{verb: "create", file: file}, func() (err error) {
		o, err = p.manager.create(draft{
			name: name, kind: object.Event, mode: mode | layout.ModeControl,
			fill: func(fd FD) error { return p.manager.host.WriteAt(fd, page, 0) },
		})
		return err
	})
	if err != nil {
		p.end(err, nil)
		return nil
	}
	h := &handle{mapping: &Mapping{Object: o, Size: layout.ControlSize}, file: file, object: p.files[o.fd].life()}
	p.end(nil, h)
	return h
}

// export returns a handle that is an open file, as if it were another process's.
func (p *process) export(h *handle) *handle {
	if h == nil {
		return nil
	}
	var fd FD
	err := p.attempt(operation{verb: "open", file: h.file}, func() (err error) {
		fd, err = h.mapping.Export(true)
		return err
	})
	exported := &Object{m: p.manager, fd: fd}
	return p.newHandle(&Mapping{Object: exported, Size: h.mapping.Size}, h.file, err)
}

// receive makes a handle of an exported one, and closes that.
func (p *process) receive(exported *handle, name object.Name) *handle {
	if exported == nil {
		return nil
	}
	file := p.manager.FileName(name)
	var m *Mapping
	err := p.attempt(operation{verb: "open", file: file}, func() error {
		own, err := p.Reopen(exported.mapping.fd, true)
		if err != nil {
			return err
		}
		o, err := p.manager.Receive(own, name, true)
		if err == nil {
			m, err = o.Mapping(true)
		}
		return err
	})
	received := p.newHandle(m, file, err)
	p.close(exported)
	return received
}

// close closes a handle; nil is none.
func (p *process) close(h *handle) {
	if h == nil {
		return
	}
	drop := func() { p.sim.dropHandle(p, h) }
	p.end(p.attempt(operation{verb: "close", releases: drop}, h.mapping.Close), nil)
}

// view maps a handle's object.
func (p *process) view(h *handle) *view {
	if h == nil {
		return nil
	}
	v := &view{object: h.object}
	err := p.attempt(operation{verb: "view"}, func() (err error) {
		v.lock, err = h.mapping.LockView()
		return err
	})
	if err != nil {
		p.sim.fail(p, "no view: %v", err)
	}
	if v.lock != nil {
		p.files[v.lock.fd].view = true
	}
	p.views = append(p.views, v)
	p.end(err, nil)
	return v
}

// unview closes a view; nil is none.
func (p *process) unview(v *view) {
	if v == nil {
		return
	}
	drop := func() { p.views = slices.DeleteFunc(p.views, func(other *view) bool { return other == v }) }
	p.end(p.attempt(operation{verb: "unview", releases: drop}, func() error {
		v.lock.Release()
		return nil
	}), nil)
}

// alias gives a handle's object its second name, which must then be there.
func (p *process) alias(h *handle, may ...error) {
	if h == nil {
		return
	}
	var alias string
	err := p.attempt(operation{verb: "alias"}, func() (err error) {
		alias, err = h.mapping.Alias()
		return err
	}, may...)
	if err == nil && p.sim.names[alias] != h.object.inode {
		p.sim.fail(p, "the alias leads elsewhere")
	}
	p.end(err, nil)
}

// check asks whether a handle's name is intact. If it is not, the handle has
// lost it for good.
func (p *process) check(h *handle) {
	if h == nil {
		return
	}
	err := p.attempt(operation{verb: "check"}, h.mapping.Check, object.ErrNameLost)
	if err == nil {
		h.lost = false
	}
	p.end(err, nil)
}

// remove takes a file away, as a stranger with rm would.
func (p *process) remove(file string) {
	p.operation = operation{verb: "rm"}
	if err := p.manager.host.Unlink(file); err == nil {
		p.sim.loseName(file)
	}
	p.end(nil, nil)
}

// link gives the file of a name another one, or moves it there, as strangers can
// if the system does not protect links, or the directory is theirs.
func (p *process) link(from, to string, move bool) {
	p.operation = operation{verb: "ln"}
	p.step()
	i := p.sim.names[from]
	if i == nil || p.sim.names[to] != nil {
		p.end(fs.ErrExist, nil)
		return
	}
	p.sim.names[to] = i
	i.links++
	if move {
		delete(p.sim.names, from)
		i.links--
		p.sim.loseName(from)
	}
	p.end(nil, nil)
}

// clean runs the janitor.
func (p *process) clean() {
	p.operation = operation{verb: "clean"}
	p.manager.Clean()
	p.end(nil, nil)
}

// list lists the live objects. It must show what is there all the time, and
// nothing that is dead all the time.
func (p *process) list(name object.Name) {
	file := p.manager.FileName(name)
	var infos []Info
	err := p.attempt(operation{verb: "list", file: file}, func() (err error) {
		infos, err = p.manager.List(context.Background(), func(object.Name) bool { return true })
		return err
	})
	listed := slices.ContainsFunc(infos, func(info Info) bool { return info.File == file })
	switch {
	case !listed && p.operation.unbroken:
		p.sim.fail(p, "did not list an object that was there all the time")
	case listed && len(p.operation.seen) == 0:
		p.sim.fail(p, "listed a dead object")
	}
	p.end(err, nil)
}
