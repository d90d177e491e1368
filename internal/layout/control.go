package layout

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"strings"

	"github.com/filemap-go/filemap/object"
)

// The file of a mapping that is backed by memory holds the mapping's bytes and
// nothing else. The file of any other object is one control page. Mode bits,
// which only a file's owner can change, tell the two apart, and both from the
// files of other programs:
//
//	       0       4       8              16
//	0x000 +---------------+-------+-------+
//	      | magic         |version| kind  |
//	0x010 +---------------+-------+-------+
//	      | object id     | flags |PID ns |   flags and PID ns: mutexes only
//	0x020 +---------------+-------+-------+
//	      | parameter     | zero          |   what others than mappings have
//	0x040 +---------------+---------------+
//	      | state         | demand        |   demand: reserved, 0
//	0x080 +---------------+---------------+
//	      | due           | period        |   timers only
//	0x090 +---------------+---------------+
//	      | clock         | zero          |
//	0x100 +---------------+---------------+
//	      | mapping size  | file device   |   mappings backed by a file only
//	0x110 +---------------+---+-----------+
//	      | file inode    |len| path ...  |   len and path: of jobs too
//	      +---------------+---+-----------+
//	      | path ...                      |
//	0x1000+-------------------------------+
//
// The path of a job leads to its cgroup, and len is 0 if it has none.
//
// From 0x200 on, a tracked semaphore has its ledger.
//
// The parameter is a semaphore's maximum, with bit 32 set if it is tracked, or
// 1 for an event or a timer that stays signaled until it is reset. PID ns is
// the inode of the PID namespace of the mutex's creator. The flag TrustTokens
// says that the death of a process with the owner's number does not mean that
// the owner died, because processes of other namespaces have the mutex open,
// or several processes one handle. State is the word that type State
// describes. A timer is due at so many nanoseconds of its clock, or never if
// 0, and then once each period, if that is not 0.
//
// Integers are little-endian, device and inode are those of stat(2), and the
// path is absolute and of len bytes.
const (
	ControlSize = 0x1000

	controlMagic = 0x3150414D454C4946 // "FILEMAP1"
	// Version is that of the whole format: the pages, the modes, the locks.
	Version = 2

	magicAt   = 0x000
	versionAt = 0x008
	kindAt    = 0x00C
	idAt      = 0x010
	paramAt   = 0x020

	// FlagsAt is the word of the flags and the PID namespace.
	FlagsAt = 0x018
	// TrustTokens is a flag.
	TrustTokens = 1 << 0
	// StateAt is the state word.
	StateAt = 0x040
	// DemandAt is reserved for the number of waits that are parked on the object.
	DemandAt = 0x048
	// ParamTracked is a bit of a semaphore's parameter.
	ParamTracked = 1 << 32
	// LedgerAt is the first entry of a tracked semaphore's ledger. An entry is
	// the token of a holder, or 0, and in the next word the permits it holds:
	// see type Permits.
	LedgerAt      = 0x200
	LedgerEntry   = 0x010
	LedgerEntries = (ControlSize - LedgerAt) / LedgerEntry

	// JobStopAt is the word of a job whose low half counts how often it was terminated.
	JobStopAt = 0x080
	// ParamLeave is a bit of a job's parameter: its members live on without it.
	ParamLeave = 1 << 0
	// ParamExact is another: no command starts outside of the job's cgroup.
	ParamExact = 1 << 1

	// DueAt, PeriodAt and ClockAt are the words of a timer.
	DueAt    = 0x080
	PeriodAt = 0x088
	ClockAt  = 0x090

	backingSizeAt  = 0x100
	backingDevAt   = 0x108
	backingInodeAt = 0x110

	pathLengthAt = 0x118
	pathAt       = 0x11A

	// PathMax is the longest path of a backing file or a cgroup, in bytes.
	PathMax = ControlSize - pathAt
)

// Positions past the end of an object's file whose bytes are never read or
// written, but locked with open file description locks.
const (
	// HandleBytes is the first of as many bytes, of which each handle has one
	// read-locked, once it is one: see HandleByte.
	HandleBytes = 1 << 60
	// ViewByte is read-locked by each view of a Global mapping.
	ViewByte = 1 << 62
	// TokenByte plus a token is write-locked by the handle with that token.
	TokenByte = 1 << 61
	// GuardBytes is the first of as many bytes as there can be processes. Each guard
	// of a job's members has the one at its process number write-locked, for its
	// process: F_SETLK, so that the system tells others which process it is.
	GuardBytes  = 1<<61 | 1<<40
	GuardsCount = 1 << 32
	// MembersByte, that of no process, is write-locked by the keepers of a job's
	// cgroup while that has members, for processes that can't see the cgroup.
	MembersByte = GuardBytes
	// KeepersByte is write-locked by the keepers as long as there are any.
	KeepersByte = GuardBytes - 1
)

// HandleByte returns the position of the byte that the handles to an object
// have locked, from the name of its file: a file that somebody linked or renamed
// to another name is not alive under that one. It is HandleBytes plus the low 60
// bits of the name's 64-bit FNV-1a hash. An alias has the byte of its object.
//
// Version 1 of the format had HandleBytes itself for all names.
func HandleByte(file string) int64 {
	file = strings.TrimSuffix(file, AliasSuffix)
	hash := uint64(0xCBF29CE484222325)
	for i := range len(file) {
		hash = (hash ^ uint64(file[i])) * 0x100000001B3
	}
	return HandleBytes | int64(hash%HandleBytes)
}

// Mode bits of an object's file.
const (
	ModeOwnerRead  = 0o400
	ModeOwnerWrite = 0o200
	ModeGroupRead  = 0o040
	ModeGroupWrite = 0o020
	ModeOtherRead  = 0o004
	ModeOtherWrite = 0o002
	ModeWrite      = ModeOwnerWrite | ModeGroupWrite | ModeOtherWrite
	ModeOthers     = 0o077
	ModeMark       = 0o1000 // the sticky bit: filemap made the file
	ModePage       = 0o100  // with the mark: the file is a control page
	ModeControl    = ModeMark | ModePage
	ModeMask       = 0o7777
)

// IsControl reports whether a mode is that of a control page's file.
func IsControl(mode uint32) bool { return mode&ModeControl == ModeControl }

// Control is what a control page says.
type Control struct {
	Kind    object.Kind
	ID      uint64 // random, one an object
	Backing Backing

	Flags        uint32 // of a mutex
	PIDNamespace uint32 // of a mutex's creator
	Param        uint64
	State        State
	Due, Period  int64 // of a timer
	Clock        uint64
	Cgroup       string // of a job: the path of its directory, or ""
}

// Backing says which file a mapping is backed by.
type Backing struct {
	Size       uint64 // of the mapping, not the file
	Dev, Inode uint64
	Path       string
}

// Page returns the control page.
func (c Control) Page() []byte {
	page := new([ControlSize]byte)
	c.Put(page)
	return page[:]
}

// Put sets the control page.
func (c Control) Put(to *[ControlSize]byte) {
	*to = [ControlSize]byte{}
	page, le := to[:], binary.LittleEndian
	le.PutUint64(page[magicAt:], controlMagic)
	le.PutUint32(page[versionAt:], Version)
	le.PutUint32(page[kindAt:], uint32(c.Kind))
	le.PutUint64(page[idAt:], c.ID)
	if c.Kind == object.Mapping {
		le.PutUint64(page[backingSizeAt:], c.Backing.Size)
		le.PutUint64(page[backingDevAt:], c.Backing.Dev)
		le.PutUint64(page[backingInodeAt:], c.Backing.Inode)
		putPath(page, c.Backing.Path)
		return
	}
	if c.Kind == object.Job {
		putPath(page, c.Cgroup)
	}
	le.PutUint64(page[FlagsAt:], uint64(c.PIDNamespace)<<32|uint64(c.Flags))
	le.PutUint64(page[paramAt:], c.Param)
	le.PutUint64(page[StateAt:], uint64(c.State))
	le.PutUint64(page[DueAt:], uint64(c.Due))
	le.PutUint64(page[PeriodAt:], uint64(c.Period))
	le.PutUint64(page[ClockAt:], c.Clock)
}

// ParseControl reads a control page.
//
// Returns [object.ErrCorrupt] if it makes no sense, and [object.ErrVersion] if
// it is of another version of this layout.
func ParseControl(page []byte) (Control, error) {
	le := binary.LittleEndian
	if len(page) != ControlSize || le.Uint64(page[magicAt:]) != controlMagic {
		return Control{}, object.ErrCorrupt
	}
	if version := le.Uint32(page[versionAt:]); version != Version {
		return Control{}, VersionError(version)
	}
	kind := le.Uint32(page[kindAt:])
	c := Control{Kind: object.Kind(kind), ID: le.Uint64(page[idAt:])}
	if kind > 0xFF || !c.Kind.Known() {
		return Control{}, object.ErrCorrupt
	}
	if c.Kind == object.Mapping {
		return c, c.Backing.parse(page)
	}
	c.Flags = uint32(le.Uint64(page[FlagsAt:]))
	c.PIDNamespace = uint32(le.Uint64(page[FlagsAt:]) >> 32)
	c.Param = le.Uint64(page[paramAt:])
	c.State = State(le.Uint64(page[StateAt:]))
	c.Due = int64(le.Uint64(page[DueAt:]))
	c.Period = int64(le.Uint64(page[PeriodAt:]))
	c.Clock = le.Uint64(page[ClockAt:])
	if c.Kind == object.Job {
		c.Cgroup = getPath(page)
	}
	return c, nil
}

func putPath(page []byte, path string) {
	binary.LittleEndian.PutUint16(page[pathLengthAt:], uint16(len(path)))
	copy(page[pathAt:], path)
}

// getPath returns the path in a control page, or "" if it makes no sense.
func getPath(page []byte) string {
	length := int(binary.LittleEndian.Uint16(page[pathLengthAt:]))
	if length > PathMax {
		return ""
	}
	path := string(page[pathAt : pathAt+length])
	if path == "" || path[0] != '/' || !fs.ValidPath(path[1:]) {
		return ""
	}
	return path
}

// VersionError says that an object was made by another version of the format.
func VersionError(version uint32) error {
	return object.Explain(object.ErrVersion, fmt.Sprintf(
		"the object was made by version %d of the format, and this filemap reads version %d",
		version, Version))
}

func (b *Backing) parse(page []byte) error {
	le := binary.LittleEndian
	b.Size = le.Uint64(page[backingSizeAt:])
	b.Dev = le.Uint64(page[backingDevAt:])
	b.Inode = le.Uint64(page[backingInodeAt:])
	b.Path = getPath(page)
	if b.Path == "" || b.Size == 0 || b.Size > 1<<62 {
		return object.ErrCorrupt
	}
	return nil
}
