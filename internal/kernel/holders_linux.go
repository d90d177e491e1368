package kernel

import (
	"context"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// locksTime bounds how long the locks of the machine are looked through.
	// Usual ones take less than a millisecond, but any user can take so many
	// locks that they take minutes.
	locksTime = 300 * time.Millisecond

	// processesTime bounds the look at all processes, for the same reason.
	processesTime = 5 * time.Second
)

// Holders asks the processes that this user may look into. Whose they are that
// it may not, only the list of the machine's locks tells.
func (h host) Holders(ctx context.Context, inodes map[uint64][]int) error {
	id, err := h.lockID(0)
	if err != nil {
		return err
	}
	add := func(lock fileLock) {
		pids, wanted := inodes[lock.file.Ino]
		if wanted && isHandle(lock) && lock.file.Dev == id.Dev && !slices.Contains(pids, lock.pid) {
			inodes[lock.file.Ino] = append(pids, lock.pid)
		}
	}
	brief, cancel := within(ctx, processesTime)
	defer cancel()
	seen, err := eachLock(brief, func(lock fileLock) bool { add(lock); return true })
	if err == nil && !seen.all() {
		err = addUnseen(ctx, seen, add)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil // these are the ones that the system told of
	}
	return err
}

// addUnseen calls add for the locks of processes that this user may not look into.
func addUnseen(ctx context.Context, seen processes, add func(fileLock)) error {
	return eachLockBriefly(ctx, func(lock fileLock) bool {
		// The process that took a lock may be dead, and its child have it.
		if lock.flock && !seen[lock.pid] && lives(lock.pid) {
			add(lock)
		}
		return true
	})
}

func (h host) Shared(ctx context.Context, inode uint64) (found bool, err error) {
	id, err := h.lockID(inode)
	if err != nil {
		return false, err
	}
	return findLock(ctx, func(lock fileLock) bool { return lock.file == id && isHandle(lock) })
}

// findLock reports whether one of the machine's locks is wanted. It reads the list twice
// where that is long: locks that come and go meanwhile may have hidden a line.
func findLock(ctx context.Context, wanted func(fileLock) bool) (found bool, err error) {
	for range 2 {
		lines := 0
		err = eachLockBriefly(ctx, func(lock fileLock) bool {
			lines++
			found = wanted(lock)
			return !found
		})
		if err != nil || found || lines < linesAtOnce {
			break
		}
	}
	return found, err
}

// linesAtOnce is how many lines of /proc/locks the system surely hands out at
// once: a page has room for more.
const linesAtOnce = 32

// isHandle reports whether a lock is the one that a handle has on its file.
func isHandle(lock fileLock) bool { return lock.flock && !lock.exclusive }

// eachLockBriefly is eachSystemLock, bounded by locksTime.
//
// Returns os.ErrDeadlineExceeded if that was not enough.
func eachLockBriefly(ctx context.Context, visit func(fileLock) bool) error {
	brief, cancel := within(ctx, locksTime)
	defer cancel()
	return eachSystemLock(brief, visit)
}

// within returns a context that ends with os.ErrDeadlineExceeded after a time.
func within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d, os.ErrDeadlineExceeded)
}

// lives reports whether there is a process of a number.
func lives(pid int) bool {
	process, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	defer process.Release()
	err = process.Signal(syscall.Signal(0))
	return err == nil || errors.Is(err, os.ErrPermission)
}

// Executable returns the path of a process's program, or its short name where
// this user may not see the path.
func Executable(pid int) string {
	proc := "/proc/" + strconv.Itoa(pid)
	if path, err := os.Readlink(proc + "/exe"); err == nil {
		return path
	}
	comm, _ := os.ReadFile(proc + "/comm")
	return strings.TrimSpace(string(comm))
}
