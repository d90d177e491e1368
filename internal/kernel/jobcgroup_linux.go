package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/filemap-go/filemap/internal/guard"
	"github.com/filemap-go/filemap/internal/objmgr"
	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// jobCgroup is a cgroup of version 2 that a job's members are in, open. It lies where
// jobsCgroup says for the process that created the job.
//
// Handles and keepers have the directory open with a shared lock. So a sweep can tell
// that a cgroup without that lock was left behind.
type jobCgroup struct {
	dir     *os.File
	path    string
	refused atomic.Bool // commands can't start in it from here
}

// cgroupVariable names the environment variable that has jobs made without cgroups.
const cgroupVariable = "FILEMAP_CGROUP"

// cgroupPrefix is what the names of jobs' cgroups begin with. The job's ID follows.
const cgroupPrefix = "filemap-"

func cgroupName(id uint64) string { return fmt.Sprintf("%s%016x", cgroupPrefix, id) }

// Modes of the directory. Other users can't open it, and so not lock it.
const (
	modeCgroup = 0o700
	modeLeave  = fs.ModeSticky // its processes live on without the job
)

// makeCgroup makes a cgroup for a job. A real start has shown that commands can start
// in it: a user may be allowed to make one, and not to enter it.
func makeCgroup(id uint64, leave bool) (*jobCgroup, error) {
	if os.Getenv(cgroupVariable) == "off" {
		return nil, needsCgroup(cgroupVariable + " is off")
	}
	parent, err := jobsCgroup()
	if err != nil {
		return nil, err
	}
	sweepAtTimes(parent)
	g, err := makeCgroupIn(parent, id, leave)
	if err != nil {
		return nil, needsCgroup(err.Error())
	}
	return g, nil
}

func makeCgroupIn(parent string, id uint64, leave bool) (*jobCgroup, error) {
	c := objmgr.Cgroup{
		Path: filepath.Join(parent, cgroupName(id)), ID: id, Owner: uint32(sys.Geteuid()), Leave: leave,
	}
	mode := fs.FileMode(modeCgroup)
	if leave {
		mode |= modeLeave
	}
	if err := os.Mkdir(c.Path, mode); err != nil {
		return nil, err
	}
	g, err := openCgroup(c)
	if err != nil {
		_ = os.Remove(c.Path)
		return nil, err
	}
	err = g.try(func() (uint64, error) { return 0, nil })
	if _, missing := g.read("cgroup.kill"); errors.Is(missing, fs.ErrNotExist) {
		err = errors.New("it has no cgroup.kill, which needs Linux 5.14")
	}
	if err != nil {
		g.remove()
		return nil, fmt.Errorf("no process of this one can start in %s: %w", c.Path, err)
	}
	return g, nil
}

const cgroupAdvice = "start the program with systemd-run --user --scope -p Delegate=yes, " +
	"or in a container with a writable cgroup"

// needsCgroup says what a job lacks without a cgroup, and how a program gets one.
func needsCgroup(why string) error {
	return object.Explain(errors.ErrUnsupported, "an exact job, and limits of one, need a cgroup of version 2 "+
		"that this process can make: "+why+"; "+cgroupAdvice)
}

var errNotCgroup = errors.New("it is not the cgroup of this job")

// openCgroup opens the cgroup of a job, if it is one, and whose job it is.
func openCgroup(c objmgr.Cgroup) (*jobCgroup, error) {
	if filepath.Base(c.Path) != cgroupName(c.ID) {
		return nil, errNotCgroup
	}
	found, err := sys.Look(c.Path)
	if err != nil {
		return nil, err
	}
	defer sys.Close(found)
	stat, err := sys.Fstat(found)
	if err != nil {
		return nil, err
	}
	if stat.Mode&sys.ModeType != sys.ModeDirectory || stat.UID != c.Owner || !sys.IsCgroup(found) {
		return nil, errNotCgroup
	}
	dir, err := sys.Reopen(found, false)
	if err != nil {
		return nil, explainProc(err)
	}
	g := &jobCgroup{dir: os.NewFile(uintptr(dir), c.Path), path: c.Path}
	if shared, err := sys.TryFlock(dir, false); err != nil || !shared {
		g.dir.Close()
		return nil, fmt.Errorf("%s is being removed", c.Path)
	}
	return g, nil
}

// stops returns how often a job was terminated.
type stops = func() (uint64, error)

// openStart opens the cgroup in it where commands start: see [guard.OpenStart].
func (g *jobCgroup) openStart(stop stops) (group int, err error) {
	err = g.use(func(fd int) (err error) {
		group, err = guard.OpenStart(fd, stop)
		return err
	})
	return group, err
}

// try looks whether commands can start in it, and notes if this process is refused: a
// limit refuses every process, and a job that is terminated meanwhile kills it.
func (g *jobCgroup) try(stop stops) (err error) {
	const looks = 2
	for range looks {
		var group int
		if group, err = g.openStart(stop); err != nil {
			break
		}
		err = sys.EnterCgroup(group)
		_ = sys.Close(group)
		if err != syscall.ECANCELED {
			break
		}
	}
	g.refused.Store(err != nil && err != syscall.EAGAIN && err != syscall.ENOMEM)
	return err
}

// killStopped kills the members of a job that was terminated.
func (g *jobCgroup) killStopped(stop uint64) {
	_ = g.use(func(fd int) error {
		guard.KillStopped(fd, stop)
		return nil
	})
}

// use calls f with the directory's descriptor, which stays open meanwhile.
func (g *jobCgroup) use(f func(fd int) error) error {
	connection, err := g.dir.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := connection.Control(func(fd uintptr) { failed = f(int(fd)) }); err != nil {
		return os.ErrClosed
	}
	return failed
}

func (g *jobCgroup) name() string { return filepath.Base(g.path) }

func (g *jobCgroup) read(file string) (text string, err error) {
	err = g.use(func(fd int) (err error) {
		text, err = sys.ReadCgroup(fd, file)
		return err
	})
	return text, err
}

func (g *jobCgroup) write(file, text string) error {
	return g.use(func(fd int) error { return sys.WriteCgroup(fd, file, text) })
}

func (g *jobCgroup) kill() error { return g.use(sys.KillCgroup) }

// populated reports whether there are processes in it, as far as can be known.
func (g *jobCgroup) populated() (populated bool) {
	err := g.use(func(fd int) (err error) {
		populated, err = sys.CgroupPopulated(fd)
		return err
	})
	return populated && err == nil
}

func (g *jobCgroup) processes() (pids []int, unseen int, err error) {
	err = g.use(func(fd int) (err error) {
		pids, unseen, err = sys.CgroupProcesses(fd)
		return err
	})
	if errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ENODEV) { // removed by hand
		err = nil
	}
	return pids, unseen, err
}

// number returns the number in a file, or in the line of one that begins with key.
func (g *jobCgroup) number(file, key string) (n int64, ok bool) {
	text, err := g.read(file)
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(text) {
		if value, found := strings.CutPrefix(line, key); found {
			n, err = strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}

// remove removes a cgroup that no member has been in, or that is empty.
func (g *jobCgroup) remove() {
	_ = g.use(func(fd int) error { return sys.RemoveCgroup(fd, g.name()) })
	g.dir.Close()
}

// end kills the processes of a cgroup that has no job any more, unless they are to
// be left, and removes it if they are gone soon. If not, a later sweep does that.
func (g *jobCgroup) end(leave bool) {
	const looks, pause = 100, time.Millisecond
	if !leave {
		_ = g.kill()
		for i := 0; i < looks && g.populated(); i++ {
			time.Sleep(pause)
		}
	}
	g.remove()
}

// EndCgroup implements objmgr.Host.
func (h host) EndCgroup(c objmgr.Cgroup) {
	if g, err := openCgroup(c); err == nil {
		g.end(c.Leave)
	}
}

// swept is when this process has swept last.
var swept struct {
	sync.Mutex
	last time.Time
}

// sweepAtTimes sweeps if it was not done for a while.
func sweepAtTimes(parent string) {
	const pause = 30 * time.Second
	swept.Lock()
	defer swept.Unlock()
	if now := time.Now(); swept.last.IsZero() || now.Sub(swept.last) > pause {
		swept.last = now
		sweepCgroups(parent)
	}
}

// sweepCgroups ends the cgroups in a directory that no process has open: holders and
// guards were killed at once, or ended without Close, or left the members alone.
func sweepCgroups(parent string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, entry := range entries {
		digits, ok := strings.CutPrefix(entry.Name(), cgroupPrefix)
		if id, err := strconv.ParseUint(digits, 16, 64); ok && err == nil {
			sweepCgroup(objmgr.Cgroup{Path: filepath.Join(parent, entry.Name()), ID: id, Owner: uint32(sys.Geteuid())})
		}
	}
}

func sweepCgroup(c objmgr.Cgroup) {
	g, err := openCgroup(c)
	if err != nil {
		return
	}
	stat, err := g.dir.Stat()
	alone := false
	if err == nil {
		err = g.use(func(fd int) (err error) {
			alone, err = sys.TryFlock(fd, true)
			return err
		})
	}
	if err != nil || !alone {
		g.dir.Close()
		return
	}
	g.end(stat.Mode()&modeLeave != 0)
}
