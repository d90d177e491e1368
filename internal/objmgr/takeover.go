package objmgr

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/object"
)

// A dead Global object of another user can't be removed: /dev/shm has the
// sticky bit. If that user had shared it as widely as the new object is to be,
// its file can be made into the new object where it stands.

// takeOver makes the file of a dead object into the draft's object.
//
// Returns fs.ErrExist if the file changed hands meanwhile: look again.
func (m *Manager) takeOver(d draft) (*Object, error) {
	o := &Object{m: m, name: d.name, file: d.file, Owned: true}
	var err error
	o.fd, o.stat, err = m.host.Open(d.file, func(s Stat) (bool, error) {
		o.stat = s
		return true, cmp.Or(o.checkFile(s), o.fits(d))
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fs.ErrExist
	} else if err != nil {
		return nil, err
	}
	return o.made(func() error { return o.reincarnate(d) })
}

// reincarnate holds the exclusive lock while it works, and HandleByte before it
// changes that for the shared one: in between others may get the file's lock,
// but find a handle.
func (o *Object) reincarnate(d draft) (err error) {
	host := o.m.host
	if dead, err := o.claim(); err != nil || !dead {
		return orExist(err)
	}
	if _, ok := o.named(); !ok {
		return fs.ErrExist
	}
	// The guards of a dead job kill its members once they have the lock. If the file
	// was another job's by then, they would find a handle, and keep them.
	if guarded, err := o.guarded(); err != nil || guarded {
		return orExist(err)
	}
	viewed, err := host.ByteLocked(o.fd, layout.ViewByte)
	if err != nil {
		return err
	}
	if viewed {
		return o.leftBehind("and a view of it is still in use")
	}
	if err := host.Truncate(o.fd, 0); err != nil {
		return err
	}
	if err := d.fill(o.fd); err != nil {
		return err
	}
	if err := o.initialize(d); err != nil {
		return err
	}
	if _, err := host.TryLockByte(o.fd, o.handleByte(), false); err != nil {
		return err
	}
	if shared, err := host.TryLock(o.fd, false); err != nil || !shared {
		return orExist(err)
	}
	o.stat, err = host.Stat(o.fd)
	return err
}

// fits returns an error unless the file's mode, which only its owner can
// change, is the one that the new object's would have.
func (o *Object) fits(d draft) error {
	if d.isRecord() {
		return o.leftBehind("and a record of a backing file needs a file of its own")
	}
	if o.stat.Mode&layout.ModeMask != d.mode || d.mode&layout.ModeOtherWrite == 0 {
		return o.leftBehind("with permissions other than those asked for")
	}
	return nil
}

func (o *Object) leftBehind(why string) error {
	return object.Explain(object.ErrPermission, fmt.Sprintf(
		"a dead object of user %d has the name, %s; that user or root can clear it away", o.stat.UID, why))
}

func orExist(err error) error {
	if err != nil {
		return err
	}
	return fs.ErrExist
}
