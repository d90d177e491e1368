package kernel

import (
	"bufio"
	"context"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/internal/objmgr"
	"github.com/filemap-go/filemap/internal/sys"
)

// fileLock is a lock that a process has on a file.
type fileLock struct {
	pid       int
	file      objmgr.FileID // as locks name it: see host.lockID
	flock     bool          // that of the whole file; otherwise one of bytes
	exclusive bool
	first     int64 // of the bytes
	last      int64
}

// processes says of processes whether this user may look into them.
type processes map[int]bool

// all reports whether there is no process that this user may not look into, or
// not even see: then the first one is hidden, too.
func (p processes) all() bool {
	for _, seen := range p {
		if !seen {
			return false
		}
	}
	return p[1]
}

// eachLock calls visit with each lock that a process has on one of filemap's
// files, until visit returns false or ctx ends. It returns the processes that it
// looked at.
//
// /proc/PID/fdinfo shows the locks of a description in every process that has
// it, one that inherited it too. A look at it takes no part in the file system
// of the file, which may be one that another user's process serves.
func eachLock(ctx context.Context, visit func(fileLock) bool) (seen processes, err error) {
	proc, err := os.Open("/proc/")
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	names, err := proc.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	seen = make(processes)
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue // not a process
		}
		more, err := eachLockOf(ctx, pid, visit)
		if ctx.Err() != nil {
			return seen, context.Cause(ctx)
		}
		if seen[pid] = err == nil; !more {
			break
		}
	}
	return seen, nil
}

// eachLockOf is eachLock for one process.
func eachLockOf(ctx context.Context, pid int, visit func(fileLock) bool) (more bool, err error) {
	proc := "/proc/" + strconv.Itoa(pid)
	dir, err := os.Open(proc + "/fd")
	if err != nil {
		return true, err
	}
	defer dir.Close()
	fds, err := dir.Readdirnames(-1)
	for _, fd := range fds {
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		path, err := os.Readlink(proc + "/fd/" + fd)
		if err != nil || !mayBeOurs(filepath.Base(path)) {
			continue
		}
		text, _ := os.ReadFile(proc + "/fdinfo/" + fd)
		for line := range strings.Lines(string(text)) {
			line, isLock := strings.CutPrefix(line, "lock:")
			lock, ok := parseLock(line)
			lock.pid = pid // the one that took it may have died
			if isLock && ok && !visit(lock) {
				return false, nil
			}
		}
	}
	return true, err
}

// mayBeOurs reports whether an open file of that name may be one of filemap's.
// A file made without a name is shown as "#" and its inode, also when it has
// been given one.
func mayBeOurs(base string) bool {
	return strings.HasPrefix(base, layout.Prefix) || strings.HasPrefix(base, "#")
}

// parseLock reads a line of /proc/locks: proc_locks(5). It is
//
//	1: FLOCK  ADVISORY  READ 1234 00:19:5678 0 EOF
//
// with the process, and the device and the inode of the file.
func parseLock(line string) (lock fileLock, ok bool) {
	f := strings.Fields(line)
	if len(f) != 8 || f[1] != "FLOCK" && f[1] != "OFDLCK" && f[1] != "POSIX" {
		return lock, false // somebody waits for one, or it is a lease
	}
	file := strings.Split(f[5], ":")
	if len(file) != 3 {
		return lock, false
	}
	ok = true
	number := func(text string, base int) uint64 {
		n, err := strconv.ParseUint(text, base, 64)
		ok = ok && err == nil
		return n
	}
	lock.pid, _ = strconv.Atoi(f[4]) // -1 for locks of a description
	lock.flock, lock.exclusive = f[1] == "FLOCK", f[3] == "WRITE"
	lock.file.Dev = sys.Mkdev(uint32(number(file[0], 16)), uint32(number(file[1], 16)))
	lock.file.Ino = number(file[2], 10)
	lock.first, lock.last = int64(number(f[6], 10)), math.MaxInt64
	if f[7] != "EOF" {
		lock.last = int64(number(f[7], 10))
	}
	return lock, ok
}

// eachSystemLock calls visit with each lock of the machine, until visit returns
// false or ctx ends. The system hands out a page of them at a time, and looks
// for the next page from the first lock on: a user with many locks makes this slow
// for all, so the caller bounds it.
//
// Locks of other PID namespaces are not listed. While locks come and go, others
// may be left out.
func eachSystemLock(ctx context.Context, visit func(fileLock) bool) error {
	file, err := os.Open("/proc/locks")
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(endingReader{ctx, file})
	for lines.Scan() {
		if lock, ok := parseLock(lines.Text()); ok && !visit(lock) {
			return nil
		}
	}
	return lines.Err()
}

// endingReader reads until its context ends.
type endingReader struct {
	ctx context.Context
	io.Reader
}

func (r endingReader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.Reader.Read(p)
}

// lockID returns how the system's lists of locks name a file of the directory.
// They tell the device of the whole file system, which stat(2) does not on
// btrfs and some overlays. So a lock of the directory shows which it is.
func (h host) lockID(inode uint64) (objmgr.FileID, error) {
	dir, err := os.Open(h.dir)
	if err != nil {
		return objmgr.FileID{}, err
	}
	defer dir.Close()
	stat, err := sys.Fstat(int(dir.Fd()))
	id := objmgr.FileID{Dev: stat.Dev, Ino: inode}
	if locked, lockErr := sys.TryFlock(int(dir.Fd()), false); err != nil || lockErr != nil || !locked {
		return id, err
	}
	text, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(int(dir.Fd())))
	for line := range strings.Lines(string(text)) {
		line, isLock := strings.CutPrefix(line, "lock:")
		if lock, ok := parseLock(line); isLock && ok {
			id.Dev = lock.file.Dev
		}
	}
	return id, err
}
