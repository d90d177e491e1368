package objmgr

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/object"
)

// Each handle holds two locks on the object's file: the file's own, shared, and
// one of HandleByte. The system drops them with the descriptor, however a
// process ends.
//
// HandleByte is another byte for each name: an object is alive under the name
// that its holders know it by, and under no other that somebody links or renames
// its file to.
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

// purpose is what an object is opened for.
type purpose uint8

const (
	toRead purpose = iota
	toWrite
	toMap // to write to its bytes: a record is only read
)

func (p purpose) writes(s Stat) bool {
	return p == toWrite || p == toMap && !layout.IsControl(s.Mode)
}

// acquire opens a live object and adds a shared lock of its own.
//
// Returns fs.ErrNotExist if no live object has the name, or errDead.
func (m *Manager) acquire(ctx context.Context, name object.Name, to purpose) (*Object, error) {
	if name.IsZero() {
		return nil, errNoName
	}
	o := &Object{m: m, name: name, file: m.FileName(name), Owned: name.Scope != object.POSIX}
	for c := (contention{}); ; {
		got, err := o.tryAcquire(to)
		if got != nil || err != nil {
			return got, err
		}
		if err := c.wait(ctx, o.m.host); err != nil {
			return nil, o.busy(err)
		}
	}
}

// tryAcquire makes one attempt, which returns the object, or the one that this
// process has open. It returns neither that nor an error where the file changed
// hands under it. Only success leaves the file open.
func (o *Object) tryAcquire(to purpose) (got *Object, err error) {
	host := o.m.host
	writes := false
	o.fd, o.stat, err = host.Open(o.file, func(s Stat) (bool, error) {
		writes = to.writes(s)
		if err := o.checkFile(s); err != nil {
			return false, err
		}
		if got = o.m.opened.join(openedKey{s.id(), o.file, writes}); got != nil {
			return false, errOpened
		}
		return writes, nil
	})
	if err == errOpened {
		return got, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() {
		if got == nil {
			host.Close(o.fd)
		}
	}()
	return o.enter(writes)
}

// enter makes the open file a handle, if the object is alive, and clears it away
// if it is dead. It returns neither the object nor an error if another process is
// in the way, or the object was dead.
func (o *Object) enter(writes bool) (*Object, error) {
	if !o.Owned {
		return o, nil
	}
	if joined, err := o.join(); joined || err != nil {
		if err != nil {
			return nil, err
		}
		o.m.opened.add(o, writes)
		return o, nil
	}
	if dead, err := o.claim(); err != nil || !dead {
		return nil, err
	}
	return nil, o.remove()
}

// join makes the open file a handle, if the object is alive.
func (o *Object) join() (bool, error) {
	host := o.m.host
	if shared, err := host.TryLock(o.fd, false); err != nil || !shared {
		return false, err
	}
	if alive, err := host.ByteLocked(o.fd, o.handleByte()); err != nil || !alive {
		return false, err
	}
	if _, err := host.TryLockByte(o.fd, o.handleByte(), false); err != nil {
		return false, err
	}
	var err error
	if o.reusable() { // it may have been made anew since it was looked at
		o.stat, err = host.Stat(o.fd)
	}
	return err == nil, err
}

// hold makes a file that nobody else knows yet a handle. With the exclusive
// lock, nobody else gets one before downgrade.
func (o *Object) hold(exclusive bool) error {
	if _, err := o.m.host.TryLock(o.fd, exclusive); err != nil {
		return err
	}
	_, err := o.m.host.TryLockByte(o.fd, o.handleByte(), false)
	return err
}

// downgrade changes a handle's exclusive lock for the shared one. In between,
// another process may get the exclusive lock for a moment: it finds HandleByte
// locked, and goes. A process that keeps it can't make the object a dead one.
func (o *Object) downgrade() {
	for c := (contention{}); ; {
		shared, err := o.m.host.TryLock(o.fd, false)
		if shared || err != nil || c.wait(noContext, o.m.host) != nil {
			return
		}
	}
}

// handleByte returns the position of the byte that the object's handles have
// locked.
func (o *Object) handleByte() int64 {
	if o.adopted != 0 {
		return o.adopted
	}
	return layout.HandleByte(o.file)
}

// reusable reports whether another user may make the file into another object
// when this one is dead: see takeOver.
func (o *Object) reusable() bool {
	return (o.name.Scope == object.Global || o.adopted != 0) && o.stat.Mode&layout.ModeOtherWrite != 0
}

// claim takes the exclusive lock. It reports whether the object is dead, and
// thus the caller's to clear away.
func (o *Object) claim() (dead bool, err error) {
	exclusive, err := o.m.host.TryLock(o.fd, true)
	if err != nil {
		return false, err
	}
	unheld, err := o.unheld()
	return exclusive && unheld, err
}

// unheld reports whether the file has no holder. Another process has HandleByte
// locked still while it changes its lock of the file, which flock(2) does in two
// steps.
//
// Returns an error if the file has one, but under another name.
func (o *Object) unheld() (bool, error) {
	at, locked, err := o.m.host.FirstLocked(o.fd, layout.HandleBytes, layout.HandleBytes)
	switch {
	case err != nil || !locked:
		return err == nil, err
	case at == o.handleByte():
		return false, nil
	case at == layout.HandleBytes:
		return false, layout.VersionError(1)
	}
	return false, object.Explain(object.ErrPermission,
		"its file "+o.file+" is that of an object of another name, and was linked or renamed to this one")
}

// checkFile returns an error if a file of the object's name is not one that
// filemap made for that name, and this user's program should not touch it. Who
// owns it does not tell: other users may link and rename what others own.
func (o *Object) checkFile(s Stat) error {
	local := o.name.Scope == object.Local
	switch {
	case !s.regular():
		return ErrNotAFile
	case local && s.UID != o.m.host.UID():
		return foreignError(s.UID)
	case o.name.Scope == object.POSIX:
		return nil
	case s.Mode&layout.ModeMark == 0:
		return object.Explain(object.ErrVersion, fmt.Sprintf(
			"its file %s, of mode %04o, lacks the mark of version %d of the format: "+
				"another program made it, or filemap of version 1",
			o.file, s.Mode&layout.ModeMask, layout.Version))
	case local && s.Mode&layout.ModeOthers != 0:
		return object.Explain(object.ErrPermission, fmt.Sprintf(
			"its file %s, of mode %04o, admits other users, as no Local object's does: "+
				"one of them may have linked it to this name", o.file, s.Mode&layout.ModeMask))
	}
	return nil
}

// named reports whether the object's name is still that of its file, and how
// many names the file has.
func (o *Object) named() (links uint64, ok bool) {
	stat, err := o.m.host.StatName(o.file)
	return stat.Links, err == nil && stat.same(o.stat)
}

// remove takes a dead object's names away, its alias first. The caller holds
// the exclusive lock.
func (o *Object) remove() error {
	o.endCgroup()
	links, ok := o.named()
	if !ok {
		return nil // somebody else has done it
	}
	if links > 1 {
		o.removeAlias()
	}
	err := o.m.host.Unlink(o.file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, fs.ErrPermission):
		return errDead
	}
	return err
}

func (o *Object) removeAlias() {
	if alias := o.file + layout.AliasSuffix; o.leadsHere(alias) {
		o.m.host.Unlink(alias) // if it fails, the janitor sees it again
	}
}

// leadsHere reports whether a name is one of the object's file.
func (o *Object) leadsHere(file string) bool {
	stat, err := o.m.host.StatName(file)
	return err == nil && stat.same(o.stat)
}

// Close gives a handle up. The last handle takes the object's name along.
func (o *Object) Close() error {
	if !o.m.opened.leave(o) {
		return nil
	}
	if o.kept.page != nil {
		o.kept.page.Release()
	}
	if o.Owned && o.file != "" || o.adopted != 0 {
		o.giveUp()
	}
	return o.m.host.Close(o.fd)
}

// giveUp drops the handle's locks, and removes the names of what then is dead.
// Asking for the exclusive lock gives up the shared one first, also if it is
// refused, so of several last holders closing at once, the last one to ask gets
// it.
func (o *Object) giveUp() {
	_ = o.m.host.UnlockByte(o.fd, o.handleByte())
	exclusive, err := o.m.host.TryLock(o.fd, true)
	if err == nil && !exclusive {
		return
	}
	if unheld, err := o.unheld(); err == nil && unheld {
		_ = o.remove()
	}
	if o.kept.page == nil { // a view keeps the description, and its lock, in being
		_ = o.m.host.Unlock(o.fd)
	}
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
	if err == nil && stat.same(o.stat) {
		return alias, nil
	}
	if err == nil {
		// What an object of this name left when it died without its alias.
		if err = o.checkFile(stat); err == nil {
			err = o.m.host.Unlink(alias)
		}
		if err != nil {
			return "", err
		}
	}
	err = o.m.host.Link(o.fd, alias)
	switch {
	case err == nil, errors.Is(err, fs.ErrExist) && o.leadsHere(alias):
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
