package objmgr

import (
	"errors"
	"io/fs"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/object"
)

// Info is what can be told of a live object from outside.
type Info struct {
	Name    object.Name
	UID     uint32 // whose object it is
	Cut     bool   // only the beginning of the name is known
	Kind    object.Kind
	Size    int64          // of a mapping
	Control layout.Control // of other objects: their state
	Denied  bool           // this user may not read the file: there is neither kind nor size
	File    string
	Holders []int // processes
}

// List returns the live objects of this user and the Global ones. It changes
// nothing; objects that this user may not read have no kind and no size.
func (m *Manager) List() ([]Info, error) {
	names, err := m.host.Names(layout.LocalPrefix(m.host.UID()), layout.GlobalPrefix())
	if err != nil {
		return nil, err
	}
	holders, err := m.host.Holders()
	if err != nil {
		return nil, err
	}
	var all []Info
	for _, file := range names {
		owned, ok := layout.ParseFileName(file)
		if !ok {
			continue
		}
		info := Info{Name: owned.Name, Cut: owned.Cut, File: file}
		if m.describe(&info, holders) {
			all = append(all, info)
		}
	}
	return all, nil
}

// Find returns the live object of a name.
func (m *Manager) Find(name object.Name) (Info, error) {
	if name.IsZero() {
		return Info{}, object.ErrInvalidName
	}
	holders, err := m.host.Holders()
	if err != nil {
		return Info{}, err
	}
	info := Info{Name: name, File: m.FileName(name)}
	if !m.describe(&info, holders) {
		return Info{}, object.ErrNotExist
	}
	return info, nil
}

// OtherUser returns another user who has a live Local object of a name.
func (m *Manager) OtherUser(name object.Name) (uid uint32, found bool) {
	if name.Scope != object.Local {
		return 0, false
	}
	names, err := m.host.Names(layout.Prefix)
	if err != nil {
		return 0, false
	}
	holders, _ := m.host.Holders()
	for _, file := range names {
		owned, ok := layout.ParseFileName(file)
		if !ok || owned.UID == m.host.UID() || file != layout.FileName(name, owned.UID) {
			continue
		}
		stat, err := m.host.StatName(file)
		if err == nil && stat.UID == owned.UID && len(holders[FileID{stat.Dev, stat.Ino}]) > 0 {
			return owned.UID, true
		}
	}
	return 0, false
}

// describe fills in what the file tells. It reports whether the object lives.
func (m *Manager) describe(info *Info, holders map[FileID][]int) bool {
	stat, err := m.host.StatName(info.File)
	o := &Object{m: m, name: info.Name, file: info.File, stat: stat}
	if err != nil || o.checkFile(stat) != nil {
		return false
	}
	info.UID = stat.UID
	info.Holders = holders[FileID{stat.Dev, stat.Ino}]
	fd, _, err := m.host.Open(info.File, func(s Stat) (bool, error) { return false, o.checkFile(s) })
	if errors.Is(err, fs.ErrPermission) { // all there is to see is its locks
		info.Denied = true
		return len(info.Holders) > 0 || info.Name.Scope == object.POSIX
	}
	if err != nil {
		return false
	}
	defer m.host.Close(fd)
	o.fd = fd
	if alive, err := m.host.ByteLocked(fd, o.handleByte()); err != nil ||
		!alive && info.Name.Scope != object.POSIX {
		return false
	}
	if control, err := o.settled(); err == nil {
		info.Kind, info.Size = control.Kind, stat.Size
		if layout.IsControl(stat.Mode) {
			info.Size, info.Control = int64(control.Backing.Size), control
		}
	}
	if info.Cut {
		m.wholeName(info, fd)
	}
	return true
}

// wholeName completes a name from the note kept with its file, if that is true.
func (m *Manager) wholeName(info *Info, fd FD) {
	name, err := object.ParseName(m.host.Attribute(fd, layout.NameAttribute))
	if err == nil && m.FileName(name) == info.File {
		info.Name, info.Cut = name, false
	}
}
