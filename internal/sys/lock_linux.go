package sys

import "golang.org/x/sys/unix"

// TryFlock takes a lock on the whole of an open file, for its file
// description, or reports that another description's lock forbids it. A lock
// the description had before is given up first, also where the new one is then
// refused: flock(2).
func TryFlock(fd int, exclusive bool) (bool, error) {
	how := unix.LOCK_SH
	if exclusive {
		how = unix.LOCK_EX
	}
	err := retry(func() error { return unix.Flock(fd, how|unix.LOCK_NB) })
	if err == unix.EWOULDBLOCK {
		return false, nil
	}
	return err == nil, err
}

// Unflock gives such a lock up.
func Unflock(fd int) error {
	return retry(func() error { return unix.Flock(fd, unix.LOCK_UN) })
}

// TryLockByte takes an open file description lock on one byte of a file, or
// reports that another description's lock forbids it: F_OFD_SETLK of fcntl(2).
func TryLockByte(fd int, pos int64, exclusive bool) (bool, error) {
	return TryLockBytes(fd, pos, 1, exclusive)
}

// TryLockBytes is TryLockByte for a range, all of it or nothing.
func TryLockBytes(fd int, pos, length int64, exclusive bool) (bool, error) {
	lock := byteLock(pos, exclusive)
	lock.Len = length
	err := unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &lock)
	if err == unix.EAGAIN { // EACCES is that of a filter: no Linux says it for a lock
		return false, nil
	}
	return err == nil, err
}

// UnlockByte gives such a lock up.
func UnlockByte(fd int, pos int64) error {
	lock := byteLock(pos, false)
	lock.Type = unix.F_UNLCK
	return unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &lock)
}

// ByteLocked reports whether another description has such a lock on a byte.
func ByteLocked(fd int, pos int64) (bool, error) {
	lock := byteLock(pos, true)
	err := unix.FcntlFlock(uintptr(fd), unix.F_OFD_GETLK, &lock)
	return lock.Type != unix.F_UNLCK, err
}

// FirstLocked returns a byte of a range on which another description has such a
// lock.
func FirstLocked(fd int, pos, length int64) (at int64, locked bool, err error) {
	lock := byteLock(pos, true)
	lock.Len = length
	err = unix.FcntlFlock(uintptr(fd), unix.F_OFD_GETLK, &lock)
	return lock.Start, lock.Type != unix.F_UNLCK, err
}

func byteLock(pos int64, exclusive bool) unix.Flock_t {
	kind := int16(unix.F_RDLCK)
	if exclusive {
		kind = unix.F_WRLCK
	}
	return unix.Flock_t{Type: kind, Start: pos, Len: 1}
}
