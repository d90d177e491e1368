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
	events sys.CgroupEvents
}

// runOuterKeeper is the life of the outer keeper: it has another one keep, and does it
// itself if that is killed. It returns its exit code.
func runOuterKeeper(s Setup) int {
	k, err := newKeeper(s)
	if err != nil {
		return s.reportStart(err)
	}
	first, err := sys.TryLockByte(s.Descriptor, s.keepersByte(), true)
	if err != nil || !first { // others keep the cgroup
		return s.reportStart(err)
	}
	inner, err := k.startInner()
	if code := s.reportStart(err); err != nil {
		return code
	}
	if awaitInner(inner) != 0 {
		k.keep()
	}
	return 0
}

// startInner starts the inner keeper. What happens in the cgroup from now on, it sees.
func (k *keeper) startInner() (pid int, err error) {
	if _, err := sys.TryLockByte(k.Descriptor, k.membersByte(), true); err != nil {
		return 0, err
	}
	if k.events, err = sys.WatchCgroup(k.cgroup()); err != nil {
		return 0, err
	}
	return k.executeInner(innerKeeperName, "", []string{""}, int(k.events))
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
	return &keeper{watcher: w}, err
}

// awaitInner waits for the inner keeper's end. If that is stopped, it kills nobody: it
// is continued.
func awaitInner(pid int) (status syscall.WaitStatus) {
	for {
		_, err := syscall.Wait4(pid, &status, syscall.WUNTRACED, nil)
		switch {
		case err == syscall.EINTR:
		case err == nil && status.Stopped():
			_ = syscall.Kill(pid, syscall.SIGCONT)
		default:
			return status
		}
	}
}

// keep returns when the job has no handles and the cgroup is removed.
func (k *keeper) keep() {
	none, populated := make(chan struct{}), make(chan bool)
	go func() {
		AwaitLastHandle(k)
		close(none)
	}()
	go k.killStopped()
	go k.watchMembers(populated)
	var again <-chan time.Time
	for ended := false; !ended || !k.end(); {
		select {
		case <-none:
			none, ended = nil, true
		case members, ok := <-populated:
			if !ok {
				return
			}
			k.mark(members)
		case <-again:
		}
		if ended {
			const pause = 250 * time.Millisecond // for what the system does not tell
			again = time.After(pause)
		}
	}
}

// end kills the members of a job without handles, and reports whether the cgroup is
// removed.
func (k *keeper) end() bool {
	if !k.Leave {
		_ = sys.KillCgroup(k.cgroup())
	}
	return sys.RemoveCgroup(k.cgroup(), k.Cgroup) != syscall.EBUSY
}

// killStopped kills the members each time that somebody terminates the job: a process
// that can't do it itself, since the cgroup is another user's or not in its view.
func (k *keeper) killStopped() {
	for {
		AwaitStop(k)
		stop, ok := k.stops()
		if !ok {
			_ = sys.KillCgroup(k.cgroup())
			return
		}
		KillStopped(k.cgroup(), stop)
		k.Stop = stop
	}
}

// watchMembers tells whether there are members after each change of that, until the
// cgroup was removed. The first time it waits for those that the keepers were started
// for, but not without end, since their start can fail.
func (k *keeper) watchMembers(populated chan<- bool) {
	defer close(populated)
	const firstTimeout = 250 // ms
	for timeout := firstTimeout; ; timeout = -1 {
		k.events.Await(timeout)
		members, err := k.events.Populated()
		if err != nil {
			return
		}
		populated <- members
	}
}

// mark shows others whether there are members.
func (k *keeper) mark(members bool) {
	if members {
		_, _ = sys.TryLockByte(k.Descriptor, k.membersByte(), true)
		return
	}
	if stop, ok := k.stops(); ok {
		removeStopped(k.cgroup(), stop)
	}
	End(k)
}

// UnlockByte implements Job: the byte stands for all members.
func (k *keeper) UnlockByte() { _ = sys.UnlockByte(k.Descriptor, k.membersByte()) }
