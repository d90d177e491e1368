package objmgr

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/object"
)

// MappingSpec says how a new mapping is to be.
type MappingSpec struct {
	Name     object.Name
	Size     int64
	Mode     uint32 // permission bits of its file
	Sparse   bool   // do not reserve the space
	File     *File  // what backs it; nil for memory
	Context  context.Context
	Progress func(reserved, total int64) // may be nil
	// Init, if there is one, is called with the new mapping, which nobody else can
	// open yet, before CreateMapping returns it.
	Init func(*Mapping) error
}

// File is a file of the machine that backs a mapping.
type File struct {
	FD   FD     // open, unless Growth makes it
	Path string // absolute; "" if none leads to the file, which then backs an unnamed mapping
	// Growth is nil if the file is there and long enough.
	Growth Growth
}

// Growth makes or grows the file that backs a new mapping, once the mapping has
// its name. Each method is called once at most, and in this order.
type Growth interface {
	// Reserve opens the file, makes it if there is none, and takes the space that
	// it lacks. Its size stays as it is.
	Reserve() (FD, error)
	// Grow sets its size.
	Grow() error
	// Undo leaves the file as it was, after an error of any of this.
	Undo()
}

// Mapping is a handle to a mapping.
type Mapping struct {
	*Object
	Size    int64
	backing *FD // the file that backs it, if it is not the object's own

	// Pathless says that the object's own file is the one that backs it, to which
	// no path leads.
	Pathless bool
}

// MapFD returns the file whose bytes the mapping's are.
func (m *Mapping) MapFD() FD {
	if m.backing != nil {
		return *m.backing
	}
	return m.fd
}

// IsRecord reports whether the object's own file is a record of another one.
func (m *Mapping) IsRecord() bool { return layout.IsControl(m.stat.Mode) }

// Close gives the handle up.
func (m *Mapping) Close() error {
	if m.backing != nil {
		m.m.host.Close(*m.backing)
	}
	return m.Object.Close()
}

// allocateStep is how much is reserved at a time: a quarter of a second's work
// at the most, so that a context is heard.
const allocateStep = 64 << 20

// CreateMapping makes a mapping. A file that backs it then belongs to the
// handle; it also does if there is an error.
//
// Returns fs.ErrExist if the name is that of a live mapping, and
// [object.ErrWrongKind] if it is that of another object.
func (m *Manager) CreateMapping(spec MappingSpec) (*Mapping, error) {
	if spec.File != nil {
		return m.createBacked(spec)
	}
	o, err := m.create(draft{
		name: spec.Name,
		kind: object.Mapping,
		mode: spec.Mode,
		fill: func(fd FD) error { return m.reserve(fd, spec) },
		init: func(o *Object) error { return spec.initialize(spec.mapping(o)) },
		ctx:  spec.Context,
	})
	if err != nil {
		return nil, err
	}
	return spec.mapping(o), nil
}

// initialize calls Init, if there is one.
func (spec MappingSpec) initialize(m *Mapping) error {
	if spec.Init == nil {
		return nil
	}
	return spec.Init(m)
}

// mapping returns the mapping that an object is.
func (spec MappingSpec) mapping(o *Object) *Mapping {
	m := &Mapping{Object: o, Size: spec.Size}
	if spec.File != nil {
		m.backing = &spec.File.FD
	}
	return m
}

// reserve gives a new file its size.
func (m *Manager) reserve(fd FD, spec MappingSpec) error {
	if spec.Sparse {
		return m.host.Truncate(fd, spec.Size)
	}
	for offset := int64(0); offset < spec.Size; {
		if offset > 0 && spec.Context != noContext && spec.Context.Err() != nil {
			return context.Cause(spec.Context)
		}
		if err := m.checkFree(spec.Size - offset); err != nil {
			return err
		}
		step := min(allocateStep, spec.Size-offset)
		if err := m.host.Allocate(fd, offset, step); err != nil {
			return err
		}
		offset += step
		if spec.Progress != nil {
			spec.Progress(offset, spec.Size)
		}
	}
	return nil
}

// uncheckedMax is how much a process reserves before it looks again whether there
// is so much.
const uncheckedMax = 2 << 20

// checkFree returns an error if so much can't be had. A directory may be allowed
// more than the machine, or this process's share of it, has left: the system would
// kill programs before it said no.
func (m *Manager) checkFree(size int64) error {
	if m.unchecked.Add(min(size, uncheckedMax+1)) <= uncheckedMax {
		return nil
	}
	m.unchecked.Store(0)
	if free, of, err := m.host.Free(size); err == nil && size > free {
		return object.Explain(object.ErrNoSpace, fmt.Sprintf(
			"no space left for %d MiB: about %d MiB are left of %s", size>>20, free>>20, of))
	}
	return nil
}

// createBacked makes a mapping whose bytes are those of a file elsewhere. Its
// own file holds a record of which.
func (m *Manager) createBacked(spec MappingSpec) (created *Mapping, err error) {
	defer func() {
		if created == nil && spec.File.Growth == nil {
			m.host.Close(spec.File.FD)
		}
	}()
	if spec.File.Path == "" {
		return m.createPathless(spec)
	}
	o, err := m.createRecord(spec)
	if err != nil {
		return nil, err
	}
	return spec.mapping(o), nil
}

// createPathless makes an unnamed mapping of an open file. No record could tell
// others which file it is.
func (m *Manager) createPathless(spec MappingSpec) (*Mapping, error) {
	var created *Mapping
	finish := func() error {
		stat, err := m.host.Stat(spec.File.FD)
		if err != nil {
			return err
		}
		o := &Object{m: m, fd: spec.File.FD, stat: stat}
		created = &Mapping{Object: o, Size: spec.Size, Pathless: true}
		return spec.initialize(created)
	}
	var err error
	if spec.File.Growth != nil {
		err = spec.File.grow(func() error { return nil }, finish)
	} else {
		err = finish()
	}
	if err != nil {
		return nil, err
	}
	return created, nil
}

// createRecord makes the record. Where the file must change, by its size or by
// Init, that is the last step: the record is there, has its name, and nobody can
// open it yet. Until then, the file may be that of a live mapping.
func (m *Manager) createRecord(spec MappingSpec) (*Object, error) {
	control := layout.Control{Kind: object.Mapping, ID: m.host.Random(), Backing: layout.Backing{
		Size: uint64(spec.Size), Path: spec.File.Path,
	}}
	if _, err := layout.ParseControl(control.Page()); err != nil {
		return nil, object.Explain(fs.ErrInvalid, "other processes could not open a file of this path")
	}
	if spec.Name.Scope == object.POSIX {
		return nil, object.Explain(object.ErrInvalidName, "a POSIX name cannot stand for another file")
	}
	record := func(fd FD) error { return m.writeRecord(fd, control, spec.File.FD) }
	d := draft{
		name: spec.Name,
		kind: object.Mapping,
		mode: spec.Mode | layout.ModeControl,
		fill: record,
		ctx:  spec.Context,
	}
	switch {
	case spec.File.Growth != nil:
		d.fill = func(fd FD) error { return m.host.WriteAt(fd, make([]byte, layout.ControlSize), 0) }
		d.complete = func(o *Object) error {
			return spec.File.grow(
				func() error { return record(o.fd) },
				func() error { return spec.initialize(spec.mapping(o)) })
		}
	case spec.Init != nil:
		d.complete = func(o *Object) error { return spec.initialize(spec.mapping(o)) }
	}
	return m.create(d)
}

// grow changes the file, and calls record in between, when nothing can be wrong
// any more except setting the size and init, the last step.
func (f *File) grow(record, init func() error) (err error) {
	grown := false
	defer func() {
		if !grown {
			f.Growth.Undo()
		}
	}()
	if f.FD, err = f.Growth.Reserve(); err == nil {
		err = record()
	}
	if err == nil {
		err = f.Growth.Grow()
	}
	if err == nil {
		err = init()
	}
	grown = err == nil
	return err
}

func (m *Manager) writeRecord(fd FD, control layout.Control, file FD) error {
	stat, err := m.host.Stat(file)
	if err != nil {
		return err
	}
	control.Backing.Dev, control.Backing.Inode = stat.Dev, stat.Ino
	return m.writeControl(fd, control)
}

// OpenMapping opens a live mapping.
func (m *Manager) OpenMapping(
	ctx context.Context, name object.Name, write bool,
) (*Mapping, error) {
	to := toRead
	if write {
		to = toMap
	}
	o, err := m.open(ctx, name, to)
	if err != nil {
		return nil, err
	}
	return o.Mapping(write)
}

func (o *Object) mapping(write bool) (*Mapping, error) {
	control, err := o.control()
	switch {
	case err != nil:
		return nil, err
	case control.Kind != object.Mapping:
		return nil, object.WrongKind(control.Kind, object.Mapping)
	case write && o.stat.Mode&layout.ModeWrite == 0:
		return nil, object.Explain(object.ErrPermission, "the mapping is read-only")
	case !layout.IsControl(o.stat.Mode):
		return &Mapping{Object: o, Size: o.stat.Size}, nil
	case o.stat.Mode&modeOthersWrite != 0:
		return nil, object.Explain(object.ErrPermission, fmt.Sprintf(
			"it is a record of a backing file that others than user %d may have written", o.stat.UID))
	}
	return o.openBacking(control.Backing, write)
}

// openBacking opens the file that a record names.
func (o *Object) openBacking(b layout.Backing, write bool) (*Mapping, error) {
	fd, _, err := o.m.host.OpenPath(b.Path, func(s Stat) (bool, error) { return write, o.checkBacking(b, s) })
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errBackingMoved(b.Path)
	} else if err != nil {
		return nil, err
	}
	return &Mapping{Object: o, Size: int64(b.Size), backing: &fd}, nil
}

// checkBacking returns an error if a record's path leads to another file than
// the record says, or to one that this user may open and the writer of the
// record, its owner, perhaps may not.
func (o *Object) checkBacking(b layout.Backing, s Stat) error {
	switch {
	case s.Dev != b.Dev || s.Ino != b.Inode:
		return errBackingMoved(b.Path)
	case !s.regular():
		return object.Explain(object.ErrPermission, "what backs it is not a regular file")
	case s.UID != o.stat.UID && o.stat.UID != o.m.host.UID():
		return object.Explain(object.ErrPermission, "its owner backs it with a file of another user")
	}
	return nil
}

func errBackingMoved(path string) error {
	return object.Explain(object.ErrNameLost, "the file behind it is no longer at "+path)
}

// ViewLock keeps the file of a Global mapping from being made into another
// object while a view shows it, which needs no handle. Release ends it.
type ViewLock struct {
	host Host
	fd   FD
}

// LockView returns the lock of one view, or nil where there is no need: the
// files of other mappings are never reused.
func (m *Mapping) LockView() (*ViewLock, error) {
	if m.backing != nil || !m.reusable() {
		return nil, nil
	}
	fd, err := m.m.host.Reopen(m.fd, false)
	if err != nil {
		return nil, err
	}
	if _, err := m.m.host.TryLockByte(fd, layout.ViewByte, false); err != nil {
		m.m.host.Close(fd)
		return nil, err
	}
	return &ViewLock{m.m.host, fd}, nil
}

// Release gives the lock up.
func (l *ViewLock) Release() {
	if l != nil {
		l.host.Close(l.fd)
	}
}
