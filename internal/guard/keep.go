package guard

// What keepers decide, which calls no system except through Keeper either: the
// simulated machine runs it too.

// Keeper is a job with a cgroup as one of its keepers has it.
type Keeper interface {
	Job

	// LockBytes takes the lock that says that the job has keepers, and the one that
	// says that it has members, in one step. It reports whether nobody had one.
	LockBytes() (bool, error)
	// LockMembersByte takes the second one again, after UnlockByte.
	LockMembersByte()

	// StartInner starts the inner keeper. What happens in the cgroup from now on, it
	// sees.
	StartInner() error
	// Report tells the holder how the start of the keepers went.
	Report(error)
	// AwaitInner returns when the inner keeper has ended, and reports whether it has
	// done all its work.
	AwaitInner() bool

	// Await waits for the next event. Once the last handle is gone it returns
	// TimePassed now and then.
	Await(ended bool) Event

	// KillStopped kills the members that had started before the job was terminated.
	// The next AwaitStop waits for the next termination. It reports false if the
	// job's page is gone: then it has killed all.
	KillStopped() bool
	// RemoveStopped removes what the cgroup has for those members.
	RemoveStopped()
	// EndMembers kills all members, unless they are to be left alone.
	EndMembers()
	// Remove removes the cgroup. It reports false if that still has members.
	Remove() bool
}

// Event is what a keeper waits for.
type Event int

const (
	TimePassed    Event = iota
	NoHandle            // AwaitLastHandle has returned
	Populated           // the cgroup has members
	Unpopulated         // it has none
	CgroupRemoved       // by another process
)

// KeepOuter is the life of the outer keeper: it has another one keep, and does it
// itself, by keep, if that is killed. There is one pair of keepers.
func KeepOuter(k Keeper, keep func()) {
	first, err := k.LockBytes()
	if err == nil && first {
		err = k.StartInner()
	}
	k.Report(err)
	if err == nil && first && !k.AwaitInner() {
		keep()
	}
}

// Keep returns when the job has no handles and the cgroup is removed.
func Keep(k Keeper) {
	for ended := false; !ended || !end(k); {
		switch k.Await(ended) {
		case NoHandle:
			ended = true
		case Populated:
			k.LockMembersByte()
		case Unpopulated:
			k.RemoveStopped()
			End(k)
		case CgroupRemoved:
			return
		}
	}
}

// end ends a job without handles, and reports whether that is done.
func end(k Keeper) bool {
	k.EndMembers()
	return k.Remove()
}

// AwaitStops kills the members each time that somebody terminates the job: a process
// that can't do it itself, since the cgroup is another user's or not in its view.
func AwaitStops(k Keeper) {
	for more := true; more; more = k.KillStopped() {
		AwaitStop(k)
	}
}
