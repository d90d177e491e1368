package objmgr

import "context"

// Word is a 64-bit word that processes share and change atomically. Its
// methods are those of *atomic.Uint64.
type Word interface {
	Load() uint64
	Store(v uint64)
	CompareAndSwap(old, v uint64) bool
}

// Page is the control page of an object, in this process's memory.
type Page interface {
	// Word returns the word at an offset.
	Word(offset int) Word
	// Err returns object.ErrFault once a word could not be touched, because
	// another process took the page away. Words then read as 0, and do not
	// change.
	Err() error
	// Wake ends all waits that are parked on the page's state word.
	Wake()
	// AddOneAndWake adds 1 to the low half of the word at an offset, and wakes all
	// threads that sleep on that word, in one step: this process can't die in between.
	AddOneAndWake(offset int)
	// Keep has the system set layout.MutexDied in the state word, and wake
	// somebody, if this process dies while the word holds the returned owner
	// number.
	Keep() (owner uint32, err error)
	// Release ends that, and parts the page from the object: from then on it is
	// private memory, for what still uses it.
	Release()
}

// Parked is a state word that a wait is for.
type Parked struct {
	Page Page
	Low  uint32 // the low half that means there is nothing to do yet
	// Watchful says that the wait must come back now and then although the
	// word does not change, to see whether the owner is alive.
	Watchful bool
}

// Clocks of Machine.Now.
const (
	ClockMonotonic = 0 // does not go on while the machine sleeps
	ClockRealtime  = 1 // the time of day: may be set
)

// Memory is the part of a host that synchronization objects need.
type Memory interface {
	// MapPage maps the control page of an open file. A guarded one may be taken
	// away by another process: see Page.Err.
	MapPage(fd FD, guarded bool) (Page, error)
	// Spin runs an empty loop for so many turns. It reports false if waits should not
	// spin.
	Spin(turns int) bool
	// Park returns when one of the words may no longer have its low half, and
	// sometimes for no reason. It returns when ctx ends, and no later than at
	// the time until of ClockMonotonic, unless that is 0. The caller looks at
	// the words in any case.
	Park(ctx context.Context, words []Parked, until int64)
	// Now returns the time of a clock in nanoseconds.
	Now(clock uint64) int64
	// PIDNamespace tells apart the sets of processes in which owner numbers
	// are unique.
	PIDNamespace() uint32
}
