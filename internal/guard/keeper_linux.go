package guard

import (
	"syscall"
	"time"

	"github.com/filemap-go/filemap/internal/sys"
)

// keeper ends the members in a job's cgroup when the job ends. Both keepers of a pair
// have the same description of the job's file, and so the same locks, and the same of
// the cgroup's events.
type keeper struct {
	watcher
	events    sys.CgroupEvents
	inner     int           // of the outer keeper: the inner one's process id
	none      chan struct{} // closed when the job has no handles; nil when that is known
	populated chan bool     // whether the cgroup has members; closed when it is removed
}

// runOuterKeeper is the life of the outer keeper. It returns its exit code.
func runOuterKeeper(s Setup) int {
	k, err := newKeeper(s)
	if err != nil {
		return s.reportStart(err)
	}
	KeepOuter(k, k.keep)
	return 0
}

// runInnerKeeper is the life of the inner keeper. It returns its exit code.
func runInnerKeeper(s Setup) int {
	k, err := newKeeper(s)
	if err != nil {
		return exitFailed
	}
	k.events = sys.CgroupEvents(s.events())
	k.keep()
	return 0
}

func newKeeper(s Setup) (*keeper, error) {
	catch()                // a signal to all processes would end these before they have killed
	_ = syscall.Chdir("/") // the holder's directory may be removed, or its disk unmounted
	w, err := newWatcher(s, "filemap-keeper")
	return &keeper{watcher: w, none: make(chan struct{}), populated: make(chan bool)}, err
}

// keep keeps until the job has ended.
func (k *keeper) keep() {
	go func() {
		AwaitLastHandle(k)
		close(k.none)
	}()
	go AwaitStops(k)
	go k.watchMembers()
	Keep(k)
}

// watchMembers tells whether there are members after each change of that, until the
// cgroup was removed. The first time it waits for those that the keepers were started
// for, but not without end, since their start can fail.
func (k *keeper) watchMembers() {
	defer close(k.populated)
	const firstTimeout = 250 // ms
	for timeout := firstTimeout; ; timeout = -1 {
		k.events.Await(timeout)
		members, err := k.events.Populated()
		if err != nil {
			return
		}
		k.populated <- members
	}
}

// Await implements Keeper.
func (k *keeper) Await(ended bool) Event {
	var again <-chan time.Time
	if ended {
		const pause = 250 * time.Millisecond // for what the system does not tell
		again = time.After(pause)
	}
	select {
	case <-k.none:
		k.none = nil
		return NoHandle
	case members, ok := <-k.populated:
		switch {
		case !ok:
			return CgroupRemoved
		case members:
			return Populated
		}
		return Unpopulated
	case <-again:
		return TimePassed
	}
}

// LockBytes implements Keeper.
func (k *keeper) LockBytes() (bool, error) {
	return sys.TryLockBytes(k.Descriptor, k.keepersByte(), 2, true)
}

// LockMembersByte implements Keeper.
func (k *keeper) LockMembersByte() { _, _ = sys.TryLockByte(k.Descriptor, k.membersByte(), true) }

// UnlockByte implements Job: the byte stands for all members.
func (k *keeper) UnlockByte() { _ = sys.UnlockByte(k.Descriptor, k.membersByte()) }

// StartInner implements Keeper.
func (k *keeper) StartInner() (err error) {
	if k.events, err = sys.WatchCgroup(k.cgroup()); err != nil {
		return err
	}
	k.inner, err = k.executeInner(innerKeeperName, "", []string{""}, int(k.events))
	return err
}

// Report implements Keeper.
func (k *keeper) Report(err error) { k.reportStart(err) }

// AwaitInner implements Keeper. If the inner keeper is stopped, it kills nobody: it is
// continued.
func (k *keeper) AwaitInner() bool {
	for {
		var status syscall.WaitStatus
		_, err := syscall.Wait4(k.inner, &status, syscall.WUNTRACED, nil)
		switch {
		case err == syscall.EINTR:
		case err == nil && status.Stopped():
			_ = syscall.Kill(k.inner, syscall.SIGCONT)
		default:
			return status == 0
		}
	}
}

// KillStopped implements Keeper.
func (k *keeper) KillStopped() bool {
	stop, ok := k.stops()
	if !ok {
		_ = sys.KillCgroup(k.cgroup())
		return false
	}
	KillStopped(k.cgroup(), stop)
	k.Stop = stop
	return true
}

// RemoveStopped implements Keeper.
func (k *keeper) RemoveStopped() {
	if stop, ok := k.stops(); ok {
		removeStopped(k.cgroup(), stop)
	}
}

// EndMembers implements Keeper.
func (k *keeper) EndMembers() {
	if !k.Leave {
		_ = sys.KillCgroup(k.cgroup())
	}
}

// Remove implements Keeper.
func (k *keeper) Remove() bool { return sys.RemoveCgroup(k.cgroup(), k.Cgroup) != syscall.EBUSY }
