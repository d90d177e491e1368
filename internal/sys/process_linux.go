package sys

import (
	"math"

	"golang.org/x/sys/unix"
)

// BecomeSubreaper makes this process the parent of descendants whose parents die:
// PR_SET_CHILD_SUBREAPER of prctl(2).
func BecomeSubreaper() error { return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// Privileged reports whether this process got rights from its program file, such
// as a set-user-ID bit, that its caller need not have: AT_SECURE of getauxval(3).
func Privileged() bool {
	all, err := unix.Auxv()
	for _, pair := range all {
		const secure = 23 // AT_SECURE
		if pair[0] == secure {
			return pair[1] != 0
		}
	}
	return err != nil || unix.Getuid() != unix.Geteuid() || unix.Getgid() != unix.Getegid()
}

// Flock is TryFlock for an exclusive lock, but waits for it.
func Flock(fd int) error { return retry(func() error { return unix.Flock(fd, unix.LOCK_EX) }) }

// LockByteForProcess write-locks a byte of a file for this process, until it ends
// or closes any descriptor of the file: F_SETLK of fcntl(2).
func LockByteForProcess(fd int, pos int64) error {
	lock := byteLock(pos, true)
	return unix.FcntlFlock(uintptr(fd), unix.F_SETLK, &lock)
}

// UnlockByteForProcess gives such a lock up.
func UnlockByteForProcess(fd int, pos int64) error {
	lock := byteLock(pos, false)
	lock.Type = unix.F_UNLCK
	return unix.FcntlFlock(uintptr(fd), unix.F_SETLK, &lock)
}

// FirstLockingProcess returns which process has locked bytes of a range for itself,
// and the first byte after those: the system's word, 0 if this process can't see the
// other, or if the lock is that of a file description.
func FirstLockingProcess(fd int, pos, length int64) (next int64, pid int, locked bool, err error) {
	lock := byteLock(pos, true)
	lock.Len = length
	err = unix.FcntlFlock(uintptr(fd), unix.F_OFD_GETLK, &lock)
	next = lock.Start + lock.Len
	if lock.Len == 0 { // up to the end of all files
		next = math.MaxInt64
	}
	return next, int(max(lock.Pid, 0)), lock.Type != unix.F_UNLCK, err
}

// AwaitChild waits until a child has ended or was stopped, and leaves it to be
// waited for. It returns an error if there is no child.
func AwaitChild() error {
	return retry(func() error {
		return unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WSTOPPED|unix.WNOWAIT, nil)
	})
}

// PidfdOpen returns a descriptor that stands for a process: pidfd_open(2), Linux
// 5.3.
func PidfdOpen(pid int) (int, error) { return unix.PidfdOpen(pid, 0) }

// PidfdKill kills the process that a descriptor stands for.
func PidfdKill(pidfd int) error { return unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0) }

// ForegroundGroup returns the process group in the foreground of this process's
// terminal, or 0 if it has none.
func ForegroundGroup() int {
	tty, err := unix.Open("/dev/tty", unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		return 0
	}
	defer unix.Close(tty)
	group, err := unix.IoctlGetInt(tty, unix.TIOCGPGRP)
	if err != nil {
		return 0
	}
	return group
}

// SetName sets the name of this process's main thread, which is the process's in
// listings.
func SetName(name string) {
	fd, err := unix.Open("/proc/self/comm", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	_, _ = unix.Write(fd, []byte(name))
	unix.Close(fd)
}
