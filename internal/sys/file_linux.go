package sys

import (
	"math"
	"strconv"

	"golang.org/x/sys/unix"
)

// Errors that callers tell apart.
const (
	EACCES     = unix.EACCES
	EDQUOT     = unix.EDQUOT
	EEXIST     = unix.EEXIST
	EFAULT     = unix.EFAULT
	EINVAL     = unix.EINVAL
	EFBIG      = unix.EFBIG
	EISDIR     = unix.EISDIR
	ENOENT     = unix.ENOENT
	ENOMEM     = unix.ENOMEM
	ENOSPC     = unix.ENOSPC
	ENOSYS     = unix.ENOSYS
	ENOTDIR    = unix.ENOTDIR
	EOPNOTSUPP = unix.EOPNOTSUPP
	EPERM      = unix.EPERM
	EROFS      = unix.EROFS
)

// Stat is what fstat(2) tells of a file.
type Stat struct {
	Dev, Ino uint64
	Mode     uint32 // type and permission bits, as in st_mode
	UID      uint32
	Links    uint64
	Size     int64
}

// Bits of Stat.Mode.
const (
	ModeType      = unix.S_IFMT
	ModeDirectory = unix.S_IFDIR
	ModeRegular   = unix.S_IFREG
	ModePipe      = unix.S_IFIFO
	ModeSocket    = unix.S_IFSOCK
	ModeTerminal  = unix.S_IFCHR
	ModeSticky    = unix.S_ISVTX
	// ModeOthersWrite is for the group and for others.
	ModeOthersWrite = unix.S_IWGRP | unix.S_IWOTH
)

func fromUnix(st *unix.Stat_t) Stat {
	return Stat{
		Dev: uint64(st.Dev), Ino: st.Ino, Mode: st.Mode, UID: st.Uid,
		Links: uint64(st.Nlink), Size: st.Size,
	}
}

// Fstat returns the state of an open file.
func Fstat(fd int) (Stat, error) {
	var st unix.Stat_t
	err := retry(func() error { return unix.Fstat(fd, &st) })
	return fromUnix(&st), err
}

// Lstat returns the state of a path's last component, links not followed.
func Lstat(path string) (Stat, error) {
	var st unix.Stat_t
	err := retry(func() error { return unix.Lstat(path, &st) })
	return fromUnix(&st), err
}

// StatPath returns the state of the file that a path leads to.
func StatPath(path string) (Stat, error) {
	var st unix.Stat_t
	err := retry(func() error { return unix.Stat(path, &st) })
	return fromUnix(&st), err
}

// FreeSpace returns how many bytes the file system of a directory has left for
// this user, and whether they are memory.
func FreeSpace(dir string) (free int64, inMemory bool, err error) {
	var st unix.Statfs_t
	err = retry(func() error { return unix.Statfs(dir, &st) })
	kind := uint32(st.Type) // its type differs between processors
	inMemory = kind == unix.TMPFS_MAGIC || kind == unix.RAMFS_MAGIC
	if st.Blocks == 0 { // without a limit
		return math.MaxInt64, inMemory, err
	}
	return int64(st.Bavail) * int64(st.Bsize), inMemory, err
}

// OpenTemp opens a new file without a name in a directory, for reading and
// writing: open(2) with O_TMPFILE.
func OpenTemp(dir string, mode uint32) (fd int, err error) {
	err = retry(func() error {
		fd, err = unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, mode)
		return err
	})
	return fd, err
}

// Look finds what a path leads to, without opening it: Fstat and Reopen take the
// result, and no other call does. A symbolic link at the path's end is not
// followed, but found itself.
func Look(path string) (fd int, err error) {
	err = retry(func() error {
		fd, err = unix.Open(path, unix.O_PATH|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
		return err
	})
	return fd, err
}

// Reopen opens a file description of its own for a file that Look has found or
// that fd has open. It is for files that are known to be regular. Their open(2)
// can still wait for the end of another process's lease, and does not here.
func Reopen(fd int, write bool) (own int, err error) {
	flags := unix.O_CLOEXEC | unix.O_NOCTTY | unix.O_NONBLOCK
	if write {
		flags |= unix.O_RDWR
	}
	err = retry(func() error {
		own, err = unix.Open(procPath(fd), flags, 0)
		return err
	})
	return own, err
}

// OpenSettled opens a regular file by its path. It is for files that Lstat has
// shown, where nobody can have put another in its place since.
func OpenSettled(path string, write bool) (fd int, err error) {
	flags := unix.O_CLOEXEC | unix.O_NOFOLLOW | unix.O_NOCTTY | unix.O_NONBLOCK
	if write {
		flags |= unix.O_RDWR
	}
	err = retry(func() error {
		fd, err = unix.Open(path, flags, 0)
		return err
	})
	return fd, err
}

// CreateNew makes a file, for reading and writing, where nothing has the path.
func CreateNew(path string, mode uint32) (fd int, err error) {
	flags := unix.O_RDWR | unix.O_CREAT | unix.O_EXCL | unix.O_CLOEXEC
	err = retry(func() error {
		fd, err = unix.Open(path, flags, mode)
		return err
	})
	return fd, err
}

// Link gives an open file a name, by linkat(2). The direct form needs Linux
// 6.10; before, the way leads through /proc.
func Link(fd int, path string) error {
	err := unix.Linkat(fd, "", unix.AT_FDCWD, path, unix.AT_EMPTY_PATH)
	if err != unix.ENOENT {
		return err
	}
	return unix.Linkat(unix.AT_FDCWD, procPath(fd), unix.AT_FDCWD, path, unix.AT_SYMLINK_FOLLOW)
}

func procPath(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// Unlink removes a name.
func Unlink(path string) error { return unix.Unlink(path) }

// Dup opens a second descriptor of an open file.
func Dup(fd int) (int, error) { return unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0) }

// Mkdev returns the device number of a major and a minor one.
func Mkdev(major, minor uint32) uint64 { return unix.Mkdev(major, minor) }

// Close closes a file.
func Close(fd int) error { return unix.Close(fd) }

// Fchmod sets a file's permission bits, whatever the umask.
func Fchmod(fd int, mode uint32) error { return unix.Fchmod(fd, mode) }

// Ftruncate sets a file's size.
func Ftruncate(fd int, size int64) error {
	return retry(func() error { return unix.Ftruncate(fd, size) })
}

// Fallocate reserves the space of a range of a file, and makes the file as
// long as the range reaches.
func Fallocate(fd int, offset, length int64) error {
	return retry(func() error { return unix.Fallocate(fd, 0, offset, length) })
}

// Reserve is Fallocate, except that the file's size stays as it is.
func Reserve(fd int, offset, length int64) error {
	return retry(func() error { return unix.Fallocate(fd, unix.FALLOC_FL_KEEP_SIZE, offset, length) })
}

// MayCreateIn reports whether this user may make files in a directory.
func MayCreateIn(dir string) bool { return access(dir, unix.W_OK|unix.X_OK) == nil }

// MaySearch returns an error if this user may not open what is in a directory.
func MaySearch(dir string) error { return access(dir, unix.X_OK) }

func access(path string, mode uint32) error {
	return unix.Faccessat(unix.AT_FDCWD, path, mode, unix.AT_EACCESS)
}

// Pread reads from an offset of a file; fewer bytes than asked for at its end.
func Pread(fd int, p []byte, offset int64) (n int, err error) {
	err = retry(func() error {
		n, err = unix.Pread(fd, p, offset)
		return err
	})
	return n, err
}

// Pwrite writes at an offset of a file.
func Pwrite(fd int, p []byte, offset int64) (n int, err error) {
	err = retry(func() error {
		n, err = unix.Pwrite(fd, p, offset)
		return err
	})
	return n, err
}

// Getxattr reads an extended attribute of a file into p.
func Getxattr(fd int, name string, p []byte) (int, error) {
	return unix.Fgetxattr(fd, name, p)
}

// Setxattr sets an extended attribute of a file.
func Setxattr(fd int, name string, value []byte) error {
	return unix.Fsetxattr(fd, name, value, 0)
}

// Geteuid returns the effective user id.
func Geteuid() int { return unix.Geteuid() }

// retry calls f until a signal no longer interrupts it.
func retry(f func() error) error {
	for {
		if err := f(); err != unix.EINTR {
			return err
		}
	}
}
