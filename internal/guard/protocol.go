package guard

// What a guard does with its job's file, section 17 of docs/linux-format.md, calls no
// system except through Job. So the simulated machine that tests package objmgr runs
// the same code.

// Job is a job as one of its guards has it: the file, opened for the guards alone,
// and its page.
type Job interface {
	// Lock waits until no handle has the file locked, and locks it exclusively.
	Lock() error
	Unlock()
	// HasHandle reports whether some process has a handle to the job.
	HasHandle() bool
	// IsNamed reports whether the job's name still leads to its file.
	IsNamed() bool
	// Unlink takes that name away.
	Unlink()
	// Pause lets other processes go on for a moment.
	Pause()

	// Stopped reports whether somebody has terminated the job since the command was
	// to start.
	Stopped() bool
	// SleepUntilStopped returns when somebody has, and sometimes for no reason.
	SleepUntilStopped()

	// UnlockByte gives the guard's lock up, that of the byte which stands for it.
	UnlockByte()
	// Announce wakes the waits for the job's end, by ChangeState.
	Announce()
}

// AwaitLastHandle returns when the last handle to the job is gone, and so is its
// name. The system wakes it: each handle has a shared lock of the file.
func AwaitLastHandle(j Job) {
	for {
		if err := j.Lock(); err != nil {
			return // without locks there can be no handles
		}
		dead := !j.HasHandle()
		if dead && j.IsNamed() {
			j.Unlink()
		}
		j.Unlock() // before the killing: others wait for this lock
		if dead {
			return
		}
		j.Pause() // a process changes its lock for another, which takes two steps
	}
}

// AwaitStop returns when somebody has terminated the job.
func AwaitStop(j Job) {
	for !j.Stopped() {
		j.SleepUntilStopped()
	}
}

// End is the last that a guard does, when it has no members any more. With the last
// guard's lock the job is empty.
func End(j Job) {
	j.UnlockByte()
	j.Announce()
}

// Word is a word that processes share.
type Word interface {
	Load() uint64
	CompareAndSwap(old, next uint64) bool
}

// ChangeState changes the low half of a job's state word: a wait that has not seen the
// change does not go to sleep.
func ChangeState(state Word) {
	const waiters, change = 1 << 31, 1
	for {
		old := state.Load()
		next := old&^(1<<32-1) | (old+change)&(waiters-1)
		if state.CompareAndSwap(old, next) {
			return
		}
	}
}
