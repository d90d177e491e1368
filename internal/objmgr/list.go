package objmgr

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/object"
)

// Info is what can be told of a live object from outside.
type Info struct {
	Name    object.Name // its beginning and "…" if that is all that is known
	UID     uint32      // whose object it is
	Kind    object.Kind
	Size    int64          // of a mapping
	Control layout.Control // of other objects: their state
	Denied  bool           // this user may not open the file: there is neither kind nor size
	File    string
	Holders []int // processes, once somebody has asked for them
	Inode   uint64
}

// Exists reports whether a live object has a name. It costs one open of the
// object's file, unless this user may not open it.
func (m *Manager) Exists(ctx context.Context, name object.Name) (bool, error) {
	if name.IsZero() {
		return false, errNoName
	}
	info := Info{Name: name, File: m.FileName(name)}
	return m.lives(ctx, &info, func(*Object) {})
}

// Look returns the live object of a name, without its holders: Exists has the
// cost.
func (m *Manager) Look(ctx context.Context, name object.Name) (Info, error) {
	if name.IsZero() {
		return Info{}, errNoName
	}
	info := Info{Name: name, File: m.FileName(name)}
	alive, err := m.describe(ctx, &info, false)
	if err == nil && !alive {
		err = object.ErrNotExist
	}
	return info, err
}

// Find returns the live object of a name, with its holders. It looks at all
// processes that this user may look into: it is for people, not for waits.
func (m *Manager) Find(ctx context.Context, name object.Name) (Info, error) {
	info, err := m.Look(ctx, name)
	if err != nil {
		return Info{}, err
	}
	all := []Info{info}
	err = m.findHolders(ctx, all)
	return all[0], err
}

// List returns the live objects of this user and the Global ones, of the names
// that are wanted, with their holders. It changes nothing; objects that this
// user may not open have no kind and no size.
func (m *Manager) List(ctx context.Context, wants func(object.Name) bool) ([]Info, error) {
	var all []Info
	err := m.eachName(ctx, func(file string) error {
		owned, ok := layout.ParseFileName(file)
		if !ok || !owned.Cut && !wants(owned.Name) {
			return nil
		}
		info := Info{Name: owned.Name, File: file}
		alive, err := m.describe(ctx, &info, owned.Cut)
		if alive && wants(info.Name) {
			all = append(all, info)
		}
		return err
	}, layout.LocalPrefix(m.host.UID()), layout.GlobalPrefix())
	if err != nil {
		return nil, err
	}
	return all, m.findHolders(ctx, all)
}

// OtherUser returns another user who has a live Local object of a name.
func (m *Manager) OtherUser(ctx context.Context, name object.Name) (uid uint32, found bool) {
	if name.Scope != object.Local {
		return 0, false
	}
	err := m.eachName(ctx, func(file string) error {
		owned, ok := layout.ParseFileName(file)
		if found || !ok || owned.UID == m.host.UID() || file != layout.FileName(name, owned.UID) {
			return nil
		}
		stat, err := m.host.StatName(file)
		if err != nil || !stat.regular() || stat.UID != owned.UID {
			return nil
		}
		found, err = m.shared(ctx, stat)
		uid = owned.UID
		return err
	}, layout.Prefix)
	return uid, found && err == nil
}

// eachName calls visit with the names in the directory that begin with one of
// the prefixes.
func (m *Manager) eachName(
	ctx context.Context, visit func(file string) error, prefixes ...string,
) error {
	for part := int64(0); ; {
		names, next, err := m.host.Names(part, prefixes...)
		if err != nil {
			return err
		}
		for _, file := range names {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			if err := visit(file); err != nil {
				return err
			}
		}
		if next == 0 {
			return nil
		}
		part = next
	}
}

// describe fills in what the file tells, and the whole name where the file's own
// is cut. It reports whether the object lives.
func (m *Manager) describe(ctx context.Context, info *Info, cut bool) (alive bool, err error) {
	if cut {
		info.Name.Base += "…"
	}
	return m.lives(ctx, info, func(o *Object) {
		o.tell(info)
		if cut {
			m.wholeName(info, o.fd)
		}
	})
}

// lives reports whether an object lives. If it does, and this user may open its
// file, lives calls look while the file is open.
func (m *Manager) lives(ctx context.Context, info *Info, look func(*Object)) (alive bool, err error) {
	o := &Object{m: m, name: info.Name, file: info.File}
	o.fd, o.stat, err = m.host.Open(o.file, func(s Stat) (bool, error) { return false, o.checkFile(s) })
	if errors.Is(err, fs.ErrPermission) {
		return o.aliveUnseen(ctx, info)
	}
	if err != nil {
		return false, nil
	}
	defer m.host.Close(o.fd)
	if alive, err = m.host.ByteLocked(o.fd, o.handleByte()); err != nil ||
		!alive && info.Name.Scope != object.POSIX {
		return false, err
	}
	look(o)
	return true, nil
}

// tell fills in what an open object's file tells.
func (o *Object) tell(info *Info) {
	info.UID, info.Inode = o.stat.UID, o.stat.Ino
	control, err := o.settled()
	if err != nil {
		return
	}
	info.Kind, info.Size = control.Kind, o.stat.Size
	if layout.IsControl(o.stat.Mode) {
		info.Size, info.Control = int64(control.Backing.Size), control
	}
}

// aliveUnseen reports whether the object lives whose file this user may not
// open: all there is to see is its locks. Where they are too many, it is said to
// live. This user can neither open its name nor create it in any case.
func (o *Object) aliveUnseen(ctx context.Context, info *Info) (alive bool, err error) {
	if o.stat, err = o.m.host.StatName(o.file); err != nil || o.checkFile(o.stat) != nil {
		return false, nil
	}
	info.UID, info.Inode, info.Denied = o.stat.UID, o.stat.Ino, true
	if info.Name.Scope == object.POSIX {
		return true, nil
	}
	return o.m.shared(ctx, o.stat)
}

func (m *Manager) shared(ctx context.Context, s Stat) (bool, error) {
	shared, err := m.host.Shared(ctx, s.Ino)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return true, nil
	}
	return shared, err
}

// wholeName completes a name from the note kept with its file, if that is true.
func (m *Manager) wholeName(info *Info, fd FD) {
	name, err := object.ParseName(m.host.Attribute(fd, layout.NameAttribute))
	if err == nil && m.FileName(name) == info.File {
		info.Name = name
	}
}

// findHolders fills in which processes hold the objects.
func (m *Manager) findHolders(ctx context.Context, all []Info) error {
	if len(all) == 0 {
		return nil
	}
	wanted := make(map[uint64][]int, len(all))
	for _, info := range all {
		wanted[info.Inode] = nil
	}
	if err := m.host.Holders(ctx, wanted); err != nil {
		return err
	}
	for i := range all {
		all[i].Holders = wanted[all[i].Inode]
	}
	return nil
}
