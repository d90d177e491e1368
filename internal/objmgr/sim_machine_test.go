package objmgr

import (
	"io/fs"
	"maps"
	"slices"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/object"
)

// machine is the simulated computer: one directory with the sticky bit, that
// of root and open to all, and the locks on its files. Its methods are the
// smallest steps of the system calls; whose turn it is, is not its business.
type machine struct {
	names   map[string]*inode
	inodes  []*inode // in the order they were made
	outside *inode   // what simPath leads to, if anything
}

// simPath is the path of a file that backs mappings.
const simPath = "/file"

// inode is a file.
type inode struct {
	id       uint64 // process and number, so that it is the same in any order of steps
	mode     uint32
	uid      uint32
	links    int
	linkable bool // a file that has lost its last name can't get another
	size     int64
	lives    int      // how often the file was emptied
	maker    *process // who made the file, or emptied it
	madeFor  string   // the name that it was to get
	page     []byte
	notes    map[string]string
	open     []*description
}

// description is an open file description, the holder of locks.
type description struct {
	*inode
	owner *process
	write bool
	whole lock           // flock(2)
	bytes map[int64]lock // F_OFD_SETLK
	forks int            // how many further processes have it open

	// The oracle's notes: what the process got the description for.
	handle, view bool
}

type lock uint8

const (
	unlocked lock = iota
	shared
	exclusive
)

func lockFor(isExclusive bool) lock {
	if isExclusive {
		return exclusive
	}
	return shared
}

// allows reports whether two descriptions may have these locks at a time.
func (l lock) allows(other lock) bool {
	return l == unlocked || other == unlocked || l == shared && other == shared
}

// root may do all.
const root = 0

// permits reports whether a user may read the file, and write it if asked. No
// two users of the machine share a group.
func (i *inode) permits(uid uint32, write bool) bool {
	need := uint32(layout.ModeOtherRead)
	if write {
		need |= layout.ModeOtherWrite
	}
	if uid == i.uid {
		need <<= 6
	}
	return uid == root || i.mode&need == need
}

func (i *inode) stat() Stat {
	return Stat{Ino: i.id, Mode: i.mode, UID: i.uid, Links: uint64(i.links), Size: i.size}
}

func (m *machine) newFile(owner *process, id uint64, mode uint32) *description {
	i := &inode{
		id: id, mode: modeRegular | mode, uid: owner.uid, linkable: true,
		maker: owner, madeFor: owner.operation.file,
	}
	m.inodes = append(m.inodes, i)
	return i.newDescription(owner, true)
}

func (i *inode) newDescription(owner *process, write bool) *description {
	d := &description{inode: i, owner: owner, write: write}
	i.open = append(i.open, d)
	return d
}

// link is linkat(2) where protected_hardlinks is on.
func (m *machine) link(uid uint32, i *inode, name string) error {
	switch {
	case m.names[name] != nil:
		return fs.ErrExist
	case !i.linkable:
		return fs.ErrNotExist
	case uid != i.uid && !i.permits(uid, true):
		return object.ErrPermission
	}
	m.names[name] = i
	i.links++
	return nil
}

func (m *machine) unlink(uid uint32, name string) error {
	i, ok := m.names[name]
	switch {
	case !ok:
		return fs.ErrNotExist
	case uid != i.uid && uid != root:
		return object.ErrPermission // the sticky bit
	}
	delete(m.names, name)
	i.links--
	i.linkable = i.links > 0
	return nil
}

// sorted returns the directory's names.
func (m *machine) sorted() []string { return slices.Sorted(maps.Keys(m.names)) }

// truncate sets the size. To empty a file is to end what it was.
func (d *description) truncate(size int64) {
	d.size = size
	if size == 0 {
		d.page = nil
		d.lives++
		d.maker = d.owner
	}
}

func (i *inode) writeAt(p []byte, offset int64) {
	end := int(offset) + len(p)
	if end > len(i.page) {
		i.page = append(i.page, make([]byte, end-len(i.page))...)
	}
	copy(i.page[offset:], p)
	i.size = max(i.size, int64(end))
}

// tryLock is what flock(2) does after it has dropped the lock held before.
func (d *description) tryLock(want lock) bool {
	if !d.mayLock(want) {
		return false
	}
	d.whole = want
	return true
}

func (d *description) mayLock(want lock) bool {
	return !slices.ContainsFunc(d.open, func(other *description) bool {
		return other != d && !want.allows(other.whole)
	})
}

func (d *description) tryLockByte(pos int64, want lock) bool {
	for _, other := range d.open {
		if other != d && !want.allows(other.bytes[pos]) {
			return false
		}
	}
	if d.bytes == nil {
		d.bytes = make(map[int64]lock)
	}
	d.bytes[pos] = want
	return true
}

// othersByte reports whether another description has a byte locked.
func (d *description) othersByte(pos int64) bool {
	return slices.ContainsFunc(d.open, func(other *description) bool {
		return other != d && other.bytes[pos] != unlocked
	})
}

// firstLocked returns the first byte of a range that another description has
// locked.
func (d *description) firstLocked(pos, length int64) (at int64, locked bool) {
	for _, other := range d.open {
		for byte, l := range other.bytes {
			if other != d && l != unlocked && byte >= pos && byte-pos < length && (!locked || byte < at) {
				at, locked = byte, true
			}
		}
	}
	return at, locked
}

// close drops what is left of the description, if no other process has it. The
// system drops the locks of bytes first, as a step of its own.
func (d *description) close() {
	if d.forks > 0 {
		d.forks--
		return
	}
	d.inode.open = slices.DeleteFunc(d.inode.open, func(other *description) bool { return other == d })
}
