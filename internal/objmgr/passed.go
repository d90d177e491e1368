package objmgr

import (
	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/object"
)

// A handle that is passed to another process is an open description of the
// object's file with the locks of a handle. Descriptors of it travel to a child
// or through a socket, and the object lives while one of them is open anywhere.
// The receiver makes a handle of its own from it.

// Export opens a description of the object's file, for reading or also for
// writing, that is a handle by itself. The caller closes it.
func (o *Object) Export(write bool) (FD, error) {
	fd, err := o.reopen(write)
	if err != nil {
		return 0, err
	}
	if o.Owned || o.adopted != 0 {
		err = (&Object{m: o.m, fd: fd, file: o.file, adopted: o.adopted}).keep()
	}
	if err != nil {
		o.m.host.Close(fd)
		return 0, err
	}
	return fd, nil
}

// reopen opens the file by its name, if it can: a receiver sees that name. A file
// that was made without one goes on without for its descriptors.
func (o *Object) reopen(write bool) (FD, error) {
	if o.file != "" {
		fd, _, err := o.m.host.Open(o.file, func(s Stat) (bool, error) {
			if !s.same(o.stat) {
				return false, object.ErrNameLost
			}
			return write, nil
		})
		if err == nil {
			return fd, nil
		}
	}
	return o.m.host.Reopen(o.fd, write)
}

// keep takes the locks of a handle to an object that another description keeps
// alive.
func (o *Object) keep() error {
	for c := (contention{}); ; {
		shared, err := o.m.host.TryLock(o.fd, false)
		if err != nil {
			return err
		}
		if shared {
			_, err := o.m.host.TryLockByte(o.fd, o.handleByte(), false)
			return err
		}
		if err := c.wait(noContext, o.m.host); err != nil {
			return o.busy(err)
		}
	}
}

// Receive makes a handle of a description that another process has exported, or
// of any open regular file, which is a mapping of its bytes. fd belongs to the
// handle, and is closed if there is an error. What was exported stays open until
// Receive has returned.
//
// The name is the one that the file has now, or zero if the caller found none:
// the object then has no name for this process, but lives on under its own.
func (m *Manager) Receive(fd FD, name object.Name, write bool) (*Object, error) {
	o := &Object{m: m, fd: fd, name: name}
	got, err := o.receive(write)
	if got != o {
		m.host.Close(fd)
	}
	return got, err
}

func (o *Object) receive(write bool) (got *Object, err error) {
	if o.stat, err = o.m.host.Stat(o.fd); err != nil {
		return nil, err
	}
	if o.name.IsZero() {
		return o, o.adopt()
	}
	o.file, o.Owned = o.m.FileName(o.name), true
	if err := o.checkFile(o.stat); err != nil {
		return nil, err
	}
	if got := o.m.opened.join(openedKey{o.stat.id(), o.file, write}); got != nil {
		return got, nil
	}
	for c := (contention{}); ; {
		got, err := o.enter(write)
		if got != nil || err != nil {
			return got, err
		}
		if _, ok := o.named(); !ok {
			return nil, object.ErrNotExist // its last holder is gone
		}
		if err := c.wait(noContext, o.m.host); err != nil {
			return nil, o.busy(err)
		}
	}
}

// adopt makes an open file a handle to an object whose name is not known: it
// takes the lock that keeps the object alive, whatever name that is for.
func (o *Object) adopt() error {
	if o.stat.Mode&layout.ModeMark == 0 {
		return nil // not a file of ours
	}
	at, locked, err := o.m.host.FirstLocked(o.fd, layout.HandleBytes, layout.HandleBytes)
	switch {
	case err != nil || !locked:
		return err
	case at == layout.HandleBytes:
		return layout.VersionError(1)
	}
	o.adopted = at
	return o.keep()
}

// NameOf returns the name that a file with a name of its own in the directory
// stands for to this user.
func (m *Manager) NameOf(fd FD, file string) (object.Name, bool) {
	owned, ok := layout.ParseFileName(file)
	if !ok {
		return object.Name{}, false
	}
	info := Info{File: file, Name: owned.Name}
	if owned.Cut {
		m.wholeName(&info, fd)
	}
	return info.Name, m.FileName(info.Name) == file // not another user's
}

// Mapping returns the mapping that a received object is. It closes the object if
// that fails.
func (o *Object) Mapping(write bool) (*Mapping, error) {
	mapping, err := o.mapping(write)
	if err != nil {
		o.Close()
		return nil, err
	}
	return mapping, nil
}

// Sync returns the synchronization object of a kind that a received object is. It
// closes the object if that fails.
func (o *Object) Sync(kind object.Kind) (*Sync, error) {
	control, err := o.control()
	if err == nil && control.Kind != kind {
		err = object.WrongKind(control.Kind, kind)
	}
	if err != nil {
		o.Close()
		return nil, err
	}
	return o.attach(control)
}
