package kernel

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/filemap-go/filemap/internal/objmgr"
	"github.com/filemap-go/filemap/internal/sys"
)

// lockerTime bounds the search for a locker among the processes that this user
// may look into.
const lockerTime = 200 * time.Millisecond

// Locker asks the processes, for the description that has a lock of a byte
// belongs to none. Of the lock of a whole file the list of the machine's locks
// tells as well, also where the process is another user's.
func (h host) Locker(file objmgr.FileID, pos int64) (by objmgr.Locker) {
	id, err := h.lockID(file.Ino)
	if err != nil {
		return by
	}
	brief, cancel := within(context.Background(), lockerTime)
	defer cancel()
	isIt := func(lock fileLock) bool {
		if lock.file == id && lock.covers(pos) {
			by.PID = lock.pid
		}
		return by.PID != 0 && by.PID != os.Getpid()
	}
	_, _ = eachLock(brief, func(lock fileLock) (more bool) { return !isIt(lock) })
	if by.PID == 0 && pos == objmgr.WholeFile {
		_, _ = findLock(context.Background(), isIt)
	}
	if by.PID == 0 {
		return by
	}
	by.Program = filepath.Base(Executable(by.PID))
	stat, _ := sys.StatPath("/proc/" + strconv.Itoa(by.PID))
	by.UID = stat.UID
	return by
}

// hasLock reports whether a process has a byte of a file locked. Of a process that
// this user may not look into, the system tells only whether it has the file open
// as a handle.
func hasLock(ctx context.Context, pid int, file objmgr.FileID, pos int64) (found bool, err error) {
	brief, cancel := within(ctx, lockerTime)
	defer cancel()
	_, err = eachLockOf(brief, pid, func(lock fileLock) bool {
		found = lock.file == file && lock.covers(pos)
		return !found
	})
	if err != nil && brief.Err() == nil {
		found, err = findLock(ctx, func(lock fileLock) bool {
			return lock.file == file && isHandle(lock) && lock.pid == pid && lives(pid)
		})
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return false, nil // the system did not tell in time
	}
	return found, err
}

// covers reports whether a lock is one of the byte at a position, or the file's
// own for objmgr.WholeFile.
func (l fileLock) covers(pos int64) bool {
	if pos == objmgr.WholeFile {
		return l.flock
	}
	return !l.flock && l.first <= pos && pos <= l.last
}
