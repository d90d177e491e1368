// Package objmgr is the object manager of systems whose kernel has no named
// objects: it makes names, lifetime and kinds out of files and their locks,
// with no process of its own, and repairs what processes that died left
// behind.
//
// It calls no system but through [Host], so that the same code runs over a
// simulated machine that kills processes at every step. docs/linux-format.md
// describes the protocol.
package objmgr

import (
	"context"
	"time"
)

// FD is an open file description of a Host, shared by nobody else.
type FD int

// Stat is what a Host knows of a file.
type Stat struct {
	Dev, Ino uint64
	Mode     uint32 // type and permission bits, as in st_mode
	UID      uint32
	Links    uint64
	Size     int64
}

// File type in Stat.Mode, as in st_mode.
const (
	modeType    = 0o170000
	modeRegular = 0o100000
)

func (s Stat) regular() bool        { return s.Mode&modeType == modeRegular }
func (s Stat) id() FileID           { return FileID{s.Dev, s.Ino} }
func (s Stat) same(other Stat) bool { return s.id() == other.id() }

// Check says whether a file may be opened, and whether for writing, from what is
// known of it while it is not open. To open a file can do harm by itself: a
// terminal becomes a daemon's own, the reader of a FIFO sees its end, a device
// starts. So a Host can't be asked to open a file without one.
type Check func(Stat) (write bool, err error)

// Host is a machine with one directory of files. Its methods do what the
// system calls of the same names do, for names in that directory, and return
// errors that errors.Is takes for those of package io/fs. None of them blocks
// on another process, and any goroutine may call any of them.
type Host interface {
	// UID returns the effective user of this process.
	UID() uint32

	// CreateTemp opens a new file that has no name yet.
	CreateTemp(mode uint32) (FD, error)
	// Open opens the file of a name as check says, which it first shows the file
	// to. It follows no symbolic link: check sees the link. The Stat is the one
	// that check saw, also if there is an error of check or of opening.
	Open(name string, check Check) (FD, Stat, error)
	// OpenPath is Open for any file of the machine, by its absolute path.
	OpenPath(path string, check Check) (FD, Stat, error)
	// Reopen opens a description of its own of an open file.
	Reopen(fd FD, write bool) (FD, error)
	Close(fd FD) error

	// Link gives an open file a name; fs.ErrExist if the name is taken.
	Link(fd FD, name string) error
	Unlink(name string) error
	// Names returns the names that begin with one of the prefixes, in a part of
	// the directory, and where the next part begins: 0 is the beginning of the
	// first one, and the end of the last. A part has no more than a thousand or
	// so names, of whatever files.
	Names(part int64, prefixes ...string) (names []string, next int64, err error)

	Stat(fd FD) (Stat, error)
	StatName(name string) (Stat, error)
	Chmod(fd FD, mode uint32) error
	// Truncate sets a file's size, without space for what is new.
	Truncate(fd FD, size int64) error
	// Allocate reserves the space of a range and makes the file at least as
	// long. It returns object.ErrNoSpace where there is none.
	Allocate(fd FD, offset, length int64) error
	// Free returns about how much Allocate can have, and of what. It may leave out
	// what seldom lacks so much as size.
	Free(size int64) (bytes int64, of string, err error)
	ReadAt(fd FD, p []byte, offset int64) (int, error)
	WriteAt(fd FD, p []byte, offset int64) error
	// Attribute and SetAttribute are for notes that nothing depends on.
	Attribute(fd FD, name string) string
	SetAttribute(fd FD, name, value string)

	// TryLock locks the whole file for one description, or reports that
	// another's lock forbids it. Either way the lock it had before is gone.
	TryLock(fd FD, exclusive bool) (bool, error)
	// Unlock gives that lock up.
	Unlock(fd FD) error
	// TryLockByte and UnlockByte lock one byte, independently of TryLock.
	TryLockByte(fd FD, pos int64, exclusive bool) (bool, error)
	UnlockByte(fd FD, pos int64) error
	// ByteLocked reports whether another description has a byte locked.
	ByteLocked(fd FD, pos int64) (bool, error)
	// FirstLocked returns a byte of a range that another description has locked.
	FirstLocked(fd FD, pos, length int64) (at int64, locked bool, err error)

	// Holders adds to inodes of the directory's files which processes have them
	// locked by TryLock, shared, as far as the system tells in a moment. It
	// looks at all processes.
	Holders(ctx context.Context, inodes map[uint64][]int) error
	// Shared reports whether some process has such a lock on an inode. It is for
	// files that this user may not open: os.ErrDeadlineExceeded if there are too
	// many locks on the machine to tell.
	Shared(ctx context.Context, inode uint64) (bool, error)
	// Watch calls changed, from another goroutine, after a name came to be or
	// its file was made anew; changed("") means any name. stop ends that.
	Watch(changed func(name string)) (stop func(), err error)
	// Random returns a number that no other call returns, as far as chance goes.
	Random() uint64
	// Locker returns a process, other than this one if possible, that has a file
	// locked: the byte at a position, or with TryLock if that is WholeFile. Its
	// PID is 0 where the system does not tell.
	Locker(file FileID, pos int64) Locker
	// EndCgroup kills the processes of a job's cgroup, unless they are to be left,
	// and removes it, if it is one.
	EndCgroup(Cgroup)
	// Pause lets other processes go on, longer with each attempt, counted from
	// 0. It returns for how long.
	Pause(attempt int) time.Duration

	Memory
}

// Locker is a process that has a lock.
type Locker struct {
	PID     int
	UID     uint32
	Program string
}

// FileID tells files apart.
type FileID struct{ Dev, Ino uint64 }

// WholeFile is the position of the lock that TryLock takes.
const WholeFile = -1
