package objmgr

import (
	"context"
	"errors"
	"io/fs"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/object"
)

// Each handle holds two locks on the object's file: the file's own, shared, and
// one of HandleByte. The system drops them with the descriptor, however a
// process ends.
//
// An object is alive while somebody has HandleByte. Who is about to become a
// holder takes the file's lock first, shared, and HandleByte only if it finds
// it locked by another: what is alive at that moment stays alive, because
// nobody is given the file's lock exclusively then. Who is given it, and finds
// HandleByte free, knows the object dead and removes its name. One lock would
// not do: a refusal of it does not tell a holder from one who clears away and
// may die, or may not remove the name.

// errDead: the object is dead, but its file is another user's and stays.
var errDead = errors.New("a dead object of another user")

// acquire opens a live object and adds a shared lock of its own.
//
// Returns fs.ErrNotExist if no live object has the name, or errDead.
func (m *Manager) acquire(ctx context.Context, name object.Name, write bool) (*Object, error) {
	if name.IsZero() {
		return nil, object.ErrInvalidName
	}
	o := &Object{m: m, name: name, file: m.FileName(name), Owned: name.Scope != object.POSIX}
	for c := (contention{}); ; {
		again, err := o.tryAcquire(write)
		if err == nil && !again {
			return o, nil
		}
		if err != nil {
			return nil, err
		}
		if err := c.wait(ctx, o.m.host); err != nil {
			return nil, o.busy(err)
		}
	}
}

// tryAcquire makes one attempt. It asks for another where the file changed
// hands under it. Only success leaves the file open.
func (o *Object) tryAcquire(write bool) (again bool, err error) {
	host := o.m.host
	if o.fd, err = host.Open(o.file, write); err != nil {
		return false, o.explainDenied(err)
	}
	defer func() {
		if again || err != nil {
			host.Close(o.fd)
		}
	}()
	if o.stat, err = host.Stat(o.fd); err != nil {
		return false, err
	}
	if err := o.checkFile(); err != nil || !o.Owned {
		return false, err
	}
	if joined, err := o.join(); joined || err != nil {
		return false, err
	}
	if dead, err := o.claim(); err != nil || !dead {
		return true, err
	}
	return o.remove()
}

// join makes the open file a handle, if the object is alive.
func (o *Object) join() (bool, error) {
	host := o.m.host
	if shared, err := host.TryLock(o.fd, false); err != nil || !shared {
		return false, err
	}
	if alive, err := host.ByteLocked(o.fd, layout.HandleByte); err != nil || !alive {
		return false, err
	}
	if _, err := host.TryLockByte(o.fd, layout.HandleByte, false); err != nil {
		return false, err
	}
	var err error
	o.stat, err = host.Stat(o.fd) // it may have been made anew meanwhile
	return err == nil, err
}

// hold makes a file that nobody else knows yet a handle.
func (o *Object) hold() error {
	if _, err := o.m.host.TryLock(o.fd, false); err != nil {
		return err
	}
	_, err := o.m.host.TryLockByte(o.fd, layout.HandleByte, false)
	return err
}

// claim takes the exclusive lock. It reports whether the object is dead, and
// thus the caller's to clear away. HandleByte is locked by another still while
// that one changes its lock of the file, which flock(2) does in two steps.
func (o *Object) claim() (dead bool, err error) {
	if exclusive, err := o.m.host.TryLock(o.fd, true); err != nil || !exclusive {
		return false, err
	}
	alive, err := o.m.host.ByteLocked(o.fd, layout.HandleByte)
	return err == nil && !alive, err
}

// checkFile returns an error if the file is not one that this user's program
// should touch.
func (o *Object) checkFile() error {
	if !o.stat.regular() {
		return ErrNotAFile
	}
	if o.name.Scope == object.Local && o.stat.UID != o.m.host.UID() {
		return foreignError(o.stat.UID)
	}
	return nil
}

// explainDenied returns a better error where the file itself shows why it could
// not be opened.
func (o *Object) explainDenied(err error) error {
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	if o.lstat() {
		if why := o.checkFile(); why != nil {
			return why
		}
	}
	return err
}

// lstat learns of the file that has the object's name now.
func (o *Object) lstat() bool {
	stat, err := o.m.host.StatName(o.file)
	o.stat = stat
	return err == nil
}

// named reports whether the object's name is still that of its file, and how
// many names the file has.
func (o *Object) named() (links uint64, ok bool) {
	stat, err := o.m.host.StatName(o.file)
	return stat.Links, err == nil && stat.same(o.stat)
}

// remove takes a dead object's names away, its alias first. The caller holds
// the exclusive lock. It asks for another attempt once the name is free.
func (o *Object) remove() (again bool, err error) {
	links, ok := o.named()
	if !ok {
		return true, nil // somebody else has done it
	}
	if links > 1 {
		o.removeAlias()
	}
	err = o.m.host.Unlink(o.file)
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist):
		return true, nil
	case errors.Is(err, fs.ErrPermission):
		return false, errDead
	}
	return false, err
}

func (o *Object) removeAlias() {
	alias := o.file + layout.AliasSuffix
	if stat, err := o.m.host.StatName(alias); err == nil && stat.same(o.stat) {
		o.m.host.Unlink(alias) // if it fails, the janitor sees it again
	}
}

// Close gives the handle up. The last handle takes the object's name along.
func (o *Object) Close() error {
	if o.Owned && o.file != "" {
		o.giveUp()
	}
	return o.m.host.Close(o.fd)
}

// giveUp drops the handle's locks, and removes the names of what then is dead.
// Asking for the exclusive lock gives up the shared one first, so of several
// last holders closing at once, the last one to ask gets it.
func (o *Object) giveUp() {
	_ = o.m.host.UnlockByte(o.fd, layout.HandleByte)
	if dead, err := o.claim(); err == nil && dead {
		_, _ = o.remove()
	}
	_ = o.m.host.Unlock(o.fd) // a view keeps the description, and its lock, in being
}

// Check returns nil while the object's name leads to it. If the name was taken
// away and the alias was not, it is given back. Otherwise it returns
// [object.ErrNameLost].
func (o *Object) Check() error {
	if o.file == "" {
		return nil
	}
	if _, ok := o.named(); ok {
		return nil
	}
	if err := o.m.host.Link(o.fd, o.file); err == nil {
		return nil
	}
	if _, ok := o.named(); ok {
		return nil // another holder was faster
	}
	return object.ErrNameLost
}

// Alias returns the second name of the object's file, and makes it if it is
// not there. A program that removes the file it attached to should be given
// this name.
func (o *Object) Alias() (string, error) {
	if !o.Owned || o.file == "" {
		return o.file, nil
	}
	alias := o.file + layout.AliasSuffix
	stat, err := o.m.host.StatName(alias)
	if err == nil && !stat.same(o.stat) {
		// What an object of this name left when it died without its alias.
		if err := o.m.host.Unlink(alias); err != nil {
			return "", err
		}
	}
	if err == nil && stat.same(o.stat) {
		return alias, nil
	}
	err = o.m.host.Link(o.fd, alias)
	switch {
	case err == nil, errors.Is(err, fs.ErrExist):
		return alias, nil
	case errors.Is(err, fs.ErrNotExist): // a file without any name gets no new one
		return "", object.ErrNameLost
	}
	return "", err
}

// Unlink removes a POSIX name. Who has the object open keeps it.
func (m *Manager) Unlink(name object.Name) error {
	if name.Scope != object.POSIX {
		return object.Explain(object.ErrInvalidName,
			"only POSIX names are removed by hand: other objects go with their last handle")
	}
	if layout.Reserved(name.Base) {
		return errReserved
	}
	return m.host.Unlink(name.Base)
}
