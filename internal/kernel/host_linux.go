package kernel

import (
	"crypto/rand"
	"encoding/binary"
	"io/fs"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/filemap-go/filemap/internal/objmgr"
	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// host is the real machine with one directory: what objmgr works on.
type host struct {
	dir string // with a slash at its end
	uid uint32
	// settled says that no other user can put another file in the place of one
	// of this user's: all but root can change names only of their own files.
	settled bool
}

// isSettled reports whether a directory is one where names are settled.
func isSettled(dir sys.Stat, uid uint32) bool {
	ours := dir.UID == 0 || dir.UID == uid
	return ours && (dir.Mode&sys.ModeSticky != 0 || dir.Mode&sys.ModeOthersWrite == 0)
}

var _ objmgr.Host = host{}

func (h host) UID() uint32 { return h.uid }

func (h host) CreateTemp(mode uint32) (objmgr.FD, error) {
	fd, err := sys.OpenTemp(h.dir, mode)
	return objmgr.FD(fd), h.explainTemp(err)
}

func (h host) Open(name string, check objmgr.Check) (objmgr.FD, objmgr.Stat, error) {
	fd, stat, err := h.open(h.dir+name, check)
	if err == fs.ErrNotExist {
		err = object.ErrNotExist
	}
	return fd, stat, err
}

// open saves the way through /proc for a file of this user's own whose name is
// settled: nobody can put anything in its place between the look and the opening,
// except this user's own processes, which only put files there.
func (h host) open(path string, check objmgr.Check) (objmgr.FD, objmgr.Stat, error) {
	if !h.settled {
		return openKnown(path, check)
	}
	seen, err := sys.Lstat(path)
	if err != nil || seen.UID != h.uid {
		return openKnown(path, check)
	}
	write, err := check(objmgr.Stat(seen))
	if err != nil {
		return 0, objmgr.Stat(seen), err
	}
	fd, err := sys.OpenSettled(path, write)
	if err != nil {
		return 0, objmgr.Stat(seen), explain(err)
	}
	now, err := sys.Fstat(fd)
	if err != nil || now.Dev != seen.Dev || now.Ino != seen.Ino {
		sys.Close(fd)
		return openKnown(path, check)
	}
	return objmgr.FD(fd), objmgr.Stat(now), nil
}

func (h host) OpenPath(path string, check objmgr.Check) (objmgr.FD, objmgr.Stat, error) {
	return openKnown(path, check)
}

// openKnown opens what check has seen. What stands at the path can change at any
// moment, so the file is opened by its descriptor, and not again by its path.
func openKnown(path string, check objmgr.Check) (objmgr.FD, objmgr.Stat, error) {
	found, err := sys.Look(path)
	if err != nil {
		return 0, objmgr.Stat{}, explain(err)
	}
	defer sys.Close(found)
	st, err := sys.Fstat(found)
	stat := objmgr.Stat(st)
	if err != nil {
		return 0, stat, explain(err)
	}
	write, err := check(stat)
	if err != nil {
		return 0, stat, err
	}
	fd, err := sys.Reopen(found, write)
	return objmgr.FD(fd), stat, explain(explainProc(err))
}

func (h host) Reopen(fd objmgr.FD, write bool) (objmgr.FD, error) {
	own, err := sys.Reopen(int(fd), write)
	return objmgr.FD(own), explainProc(err)
}

func (h host) Close(fd objmgr.FD) error { return sys.Close(int(fd)) }
func (h host) Link(fd objmgr.FD, name string) error {
	err := sys.Link(int(fd), h.dir+name)
	if err == sys.EPERM || err == sys.EACCES {
		// The system says so too of other users' files and directories.
		stat, statErr := sys.Fstat(int(fd))
		if statErr != nil || stat.UID != h.uid || !sys.MayCreateIn(h.dir) {
			return err
		}
	}
	return explainProc(needs("linkat(2)", err))
}
func (h host) Unlink(name string) error              { return sys.Unlink(h.dir + name) }
func (h host) Chmod(fd objmgr.FD, mode uint32) error { return sys.Fchmod(int(fd), mode) }

// namesBuffer holds the names of a part of the directory: some hundreds.
const namesBuffer = 32 << 10

func (h host) Names(part int64, prefixes ...string) (names []string, next int64, err error) {
	all, next, err := sys.Names(h.dir, part, make([]byte, namesBuffer))
	for _, name := range all {
		if slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) }) {
			names = append(names, name)
		}
	}
	if err != nil {
		err = &fs.PathError{Op: "read", Path: h.dir, Err: err}
	}
	return names, next, err
}

func (h host) Stat(fd objmgr.FD) (objmgr.Stat, error) {
	stat, err := sys.Fstat(int(fd))
	return objmgr.Stat(stat), err
}

func (h host) StatName(name string) (objmgr.Stat, error) {
	stat, err := sys.Lstat(h.dir + name)
	return objmgr.Stat(stat), err
}

func (h host) Truncate(fd objmgr.FD, size int64) error {
	return explain(sys.Ftruncate(int(fd), size))
}

func (h host) Allocate(fd objmgr.FD, offset, length int64) error {
	return explain(allocate(int(fd), offset, length))
}

func (h host) Random() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return binary.LittleEndian.Uint64(b[:])
}

// lookAtMachine is the least size for which it counts what the machine has left:
// looking would take longer than making smaller mappings.
const lookAtMachine = 64 << 20

// Free is limited by what the file system may hold, and in memory by what the
// machine and this process's cgroups have left.
func (h host) Free(size int64) (int64, string, error) {
	groups := limitedGroups()
	if len(groups) == 0 && size <= lookAtMachine {
		return math.MaxInt64, "", nil
	}
	free, inMemory, err := sys.FreeSpace(h.dir)
	least := left{free, h.dir}
	if err != nil || !inMemory {
		return least.bytes, least.of, explain(err)
	}
	machine, swapFree, err := machineLeft()
	for _, other := range []left{machine, groupLeft(groups, swapFree)} {
		if other.bytes < least.bytes {
			least = other
		}
	}
	return least.bytes, least.of, err
}

// machineLeft returns what programs can still have before the system swaps or has
// no more, and how much of that is swap space: proc_meminfo(5).
func machineLeft() (machine left, swapFree int64, err error) {
	machine.of = "the machine's memory"
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return left{bytes: math.MaxInt64}, 0, err
	}
	for line := range strings.Lines(string(text)) {
		field, value, _ := strings.Cut(line, ":")
		if field != "MemAvailable" && field != "SwapFree" {
			continue
		}
		kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 53)
		if err != nil {
			return machine, 0, err
		}
		machine.bytes += kib << 10
		if field == "SwapFree" {
			swapFree = kib << 10
		}
	}
	return machine, swapFree, nil
}

func (h host) ReadAt(fd objmgr.FD, p []byte, offset int64) (int, error) {
	return sys.Pread(int(fd), p, offset)
}

func (h host) WriteAt(fd objmgr.FD, p []byte, offset int64) error {
	n, err := sys.Pwrite(int(fd), p, offset)
	if err == nil && n < len(p) {
		err = object.ErrNoSpace
	}
	return explain(err)
}

func (h host) Attribute(fd objmgr.FD, name string) string {
	value := make([]byte, 64<<10)
	n, err := sys.Getxattr(int(fd), name, value)
	if err != nil {
		return ""
	}
	return string(value[:n])
}

func (h host) SetAttribute(fd objmgr.FD, name, value string) {
	// Needs Linux 6.6 on tmpfs. Listings then show part of a long name.
	_ = sys.Setxattr(int(fd), name, []byte(value))
}

func (h host) TryLock(fd objmgr.FD, exclusive bool) (bool, error) {
	ok, err := sys.TryFlock(int(fd), exclusive)
	return ok, needs("flock(2)", err)
}

func (h host) Unlock(fd objmgr.FD) error { return sys.Unflock(int(fd)) }

func (h host) TryLockByte(fd objmgr.FD, pos int64, exclusive bool) (bool, error) {
	ok, err := sys.TryLockByte(int(fd), pos, exclusive)
	return ok, needs(fileLocks, err)
}

func (h host) UnlockByte(fd objmgr.FD, pos int64) error { return sys.UnlockByte(int(fd), pos) }

func (h host) ByteLocked(fd objmgr.FD, pos int64) (bool, error) {
	locked, err := sys.ByteLocked(int(fd), pos)
	return locked, needs(fileLocks, err)
}

func (h host) FirstLocked(fd objmgr.FD, pos, length int64) (at int64, locked bool, err error) {
	at, locked, err = sys.FirstLocked(int(fd), pos, length)
	return at, locked, needs(fileLocks, err)
}

func (h host) Watch(changed func(name string)) (stop func(), err error) {
	events, err := sys.WatchDir(h.dir)
	if err != nil {
		return nil, err
	}
	go func() {
		buf := make([]byte, 16<<10)
		for {
			n, err := events.Read(buf)
			if err != nil {
				return // stopped
			}
			sys.WatchedNames(buf[:n], changed)
		}
	}()
	return func() { events.Close() }, nil
}

const (
	pauseYields = 3 // attempts before the first sleep
	pauseFirst  = 20 * time.Microsecond
	pauseMax    = time.Millisecond
	pauseMany   = 500 // attempts before pauses get long: the other process is stopped
	pauseLong   = 10 * time.Millisecond
)

func (h host) Pause(attempt int) time.Duration {
	if attempt < pauseYields {
		runtime.Gosched()
		return 0
	}
	pause := min(pauseMax, pauseFirst<<min(attempt-pauseYields, 10))
	if attempt > pauseMany {
		pause = pauseLong
	}
	begun := time.Now()
	time.Sleep(pause)
	return time.Since(begun)
}
