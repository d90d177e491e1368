package objmgr

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/object"
)

// Manager is the object manager of one process for one directory. Its methods
// may be called from any goroutine.
type Manager struct {
	host    Host
	janitor janitor
	watch   watch
	opened  openedObjects

	unchecked atomic.Int64 // bytes reserved since the last look at what is free
}

// New returns the manager of a host's directory.
func New(host Host) *Manager { return &Manager{host: host} }

// ErrNotAFile is for a link, a FIFO, a socket or a directory that has an
// object's name.
var ErrNotAFile = object.Explain(object.ErrPermission,
	"something that is no plain file stands in the object's place")

var errNoName = object.Explain(object.ErrInvalidName, "invalid name: it is empty")

var errReserved = object.Explain(object.ErrInvalidName,
	"filemap's own files have such names: use the object's own name")

// FileName returns the name of the file that stands for an object of this
// process's user.
func (m *Manager) FileName(name object.Name) string { return layout.FileName(name, m.host.UID()) }

// Object is what this process has of a live object, for one handle or several.
// The object lives as long as some process has a handle to it.
type Object struct {
	m     *Manager
	fd    FD
	name  object.Name
	file  string
	stat  Stat // when it was opened
	Owned bool // its lifetime is ours to keep: not that of a POSIX name

	adopted int64 // the position of HandleByte, of a received object without a known name

	key    openedKey
	joined int // handles besides the first; openedObjects.mu guards it
	tokens tokens
	kept   kept
}

// FD returns the object's open file, valid until Close.
func (o *Object) FD() FD { return o.fd }

// draft says how a new object's file is to be.
type draft struct {
	name object.Name
	file string // of the name; "" if there is none
	kind object.Kind
	mode uint32 // permission bits, and ModeControl
	fill func(fd FD) error
	ctx  context.Context // how long to wait for others: see contention.wait
	// init, if there is one, finishes the content before any other process can open
	// the file. It is called once for each file, and may panic.
	init func(*Object) error
	// complete, if there is one, does what must not be done before the name is
	// the object's. Nobody else gets a handle until then. It may panic, too.
	complete func(*Object) error
}

// finalMode returns the mode that the file will have. A Local object is its
// user's alone, and its file shows it: one that admits others could have been
// linked from elsewhere. A record is written by its owner alone: another writer
// could lead it to any file of the owner's.
func (d draft) finalMode() uint32 {
	mode := d.mode
	if d.name.Scope != object.POSIX {
		mode |= layout.ModeMark
	}
	if d.name.Scope == object.Local {
		mode &^= layout.ModeOthers
	}
	if d.isRecord() {
		mode &^= modeOthersWrite
	}
	return mode
}

func (d draft) isRecord() bool { return d.kind == object.Mapping && layout.IsControl(d.mode) }

const modeOthersWrite = layout.ModeGroupWrite | layout.ModeOtherWrite

// create makes a new object. The file is complete, locked and then given its
// name, so a process that dies meanwhile leaves nothing.
func (m *Manager) create(d draft) (*Object, error) {
	d.mode = d.finalMode()
	if d.name.IsZero() {
		return m.createUnnamed(d)
	}
	d.file = m.FileName(d.name)
	if d.name.Scope == object.POSIX && layout.Reserved(d.file) {
		return nil, errReserved
	}
	m.janitor.run(m)
	for c := (contention{}); ; {
		// Look first: reserving the memory of a large mapping takes long.
		dead, err := m.occupant(d)
		if err != nil {
			return nil, err
		}
		var o *Object
		if dead {
			o, err = m.takeOver(d)
		} else {
			o, err = m.publish(d)
		}
		if err == nil {
			m.opened.add(o, true)
		}
		if !errors.Is(err, fs.ErrExist) {
			return o, err
		}
		if err := c.wait(d.ctx, m.host); err != nil {
			return nil, (&Object{m: m, file: d.file}).busy(err)
		}
	}
}

// occupant returns an error if a live object has the draft's name. It reports
// a dead one that this user may not remove.
func (m *Manager) occupant(d draft) (dead bool, err error) {
	if _, err := m.host.StatName(d.file); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	o, err := m.acquire(d.ctx, d.name, toRead)
	switch {
	case errors.Is(err, errDead):
		return true, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	}
	defer o.Close()
	control, err := o.control()
	if err != nil {
		return false, err
	}
	if control.Kind != d.kind {
		return false, object.WrongKind(control.Kind, d.kind)
	}
	return false, object.ErrExist
}

func (m *Manager) createUnnamed(d draft) (*Object, error) {
	fd, err := m.prepare(d)
	if err != nil {
		return nil, err
	}
	o := &Object{m: m, fd: fd}
	return o.made(func() error {
		err := o.settle(d)
		if err == nil && d.kind == object.Job { // guards watch its handles
			o.adopted = o.handleByte()
			err = o.keep()
		}
		if err == nil {
			err = o.initialize(d)
		}
		if err == nil && d.complete != nil {
			err = d.complete(o)
		}
		return err
	})
}

// settle gives the object's file its mode, of which the umask has taken some, and
// notes what the file is.
func (o *Object) settle(d draft) (err error) {
	if o.stat, err = o.m.host.Stat(o.fd); err == nil && o.stat.Mode&layout.ModeMask != d.mode {
		err = o.m.host.Chmod(o.fd, d.mode)
		o.stat.Mode = o.stat.Mode&^layout.ModeMask | d.mode
	}
	return err
}

// publish makes the object's file and gives it its name.
func (m *Manager) publish(d draft) (*Object, error) {
	fd, err := m.prepare(d)
	if err != nil {
		return nil, err
	}
	o := &Object{m: m, fd: fd, name: d.name, file: d.file, Owned: d.name.Scope != object.POSIX}
	return o.made(func() error { return o.publish(d) })
}

func (o *Object) publish(d draft) error {
	err := o.settle(d)
	if err == nil && o.Owned {
		err = o.hold(d.complete != nil)
	}
	if err == nil {
		err = o.initialize(d)
	}
	if err == nil {
		err = o.m.host.Link(o.fd, o.file)
	}
	if err == nil && d.complete != nil {
		err = o.complete(d)
	}
	return err
}

func (m *Manager) prepare(d draft) (FD, error) {
	fd, err := m.host.CreateTemp(d.mode)
	if err != nil {
		return 0, err
	}
	if err = d.fill(fd); errors.Is(err, object.ErrNoSpace) && m.Clean().Objects > 0 {
		err = d.fill(fd) // the dead had some
	}
	if err != nil {
		m.host.Close(fd)
		return 0, err
	}
	if layout.IsCut(d.file) {
		m.host.SetAttribute(fd, layout.NameAttribute, d.name.String())
	}
	return fd, nil
}

// open returns a handle to the live object of a name.
func (m *Manager) open(ctx context.Context, name object.Name, to purpose) (*Object, error) {
	m.janitor.run(m)
	o, err := m.acquire(ctx, name, to)
	if errors.Is(err, errDead) {
		return nil, object.ErrNotExist
	}
	return o, err
}

// foreignError says that a file is another user's where it should be ours.
func foreignError(uid uint32) error {
	return object.Explain(object.ErrPermission,
		fmt.Sprintf("user %d has put a file of their own in this user's name", uid))
}
