package guard

import (
	"cmp"
	"strconv"
	"syscall"

	"github.com/filemap-go/filemap/internal/sys"
)

// A job's cgroup has a cgroup in it for each time that the job was terminated, since
// one that was killed takes no more commands. The name is the value of the word that
// counts, so a kill of those that were stopped does not hit what was started later.

// OpenStart opens the cgroup in a job's where commands start, and makes it if there is
// none. It has a lock while it is open, so that it is not removed. stop returns how
// often the job was terminated.
func OpenStart(dir int, stop func() (uint64, error)) (group int, err error) {
	const attempts = 1000 // other users may write the word
	for range attempts {
		before, failed := stop()
		if failed != nil {
			return 0, failed
		}
		group, err = openLocked(dir, strconv.FormatUint(before, 10))
		if now, failed := stop(); failed == nil && now == before {
			return group, err
		}
		if err == nil {
			_ = sys.Close(group)
		}
	}
	return 0, cmp.Or[error](err, syscall.EAGAIN)
}

func openLocked(dir int, name string) (group int, err error) {
	group, err = sys.MakeCgroup(dir, name)
	if err != nil {
		return 0, err
	}
	shared, err := sys.TryFlock(group, false)
	if err != nil || !shared { // it is being removed
		_ = sys.Close(group)
		return 0, cmp.Or[error](err, syscall.EBUSY)
	}
	return group, nil
}

// KillStopped kills the members that have started before the job was terminated for
// the last time: stop is how often it was.
func KillStopped(dir int, stop uint64) {
	eachStopped(dir, stop, func(group int, _ string) { _ = sys.KillCgroup(group) })
}

// removeStopped removes the cgroups whose members were killed.
func removeStopped(dir int, stop uint64) {
	eachStopped(dir, stop, func(group int, name string) {
		if alone, err := sys.TryFlock(group, true); err == nil && alone {
			_ = sys.RemoveCgroup(group, name)
		}
	})
}

// eachStopped calls f for the cgroups in which no more commands start.
func eachStopped(dir int, stop uint64, f func(group int, name string)) {
	sys.EachCgroup(dir, func(group int, name string) {
		if n, err := strconv.ParseUint(name, 10, 64); err == nil && isBefore(n, stop) {
			f(group, name)
		}
	})
}

// isBefore reports whether a termination was before another. Only the low half of
// their word counts, and it goes around.
func isBefore(n, stop uint64) bool { return int32(uint32(n)-uint32(stop)) < 0 }
