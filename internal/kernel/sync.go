package kernel

import (
	"context"
	"os"
	"time"

	"github.com/filemap-go/filemap/object"
)

// SyncSpec says how a new synchronization object is to be.
type SyncSpec struct {
	Name     object.Name // zero for an unnamed object
	Kind     object.Kind
	Security *object.Security // nil for the system's default
	Manual   bool             // events and timers: signaled until reset
	Signaled bool             // events: at birth
	Count    int32            // semaphores: at birth
	Max      int32
	Tracked  bool      // semaphores: permits of holders that died come back; not on Windows
	Schedule *Schedule // timers: at birth; nil for none
}

// Taken is what came with an object that a wait took.
type Taken struct {
	// Abandoned says that the mutex's last owner died, or closed it, while
	// holding it.
	Abandoned bool
	hold      hold // of a mutex: how the system knows its owner
}

// Schedule is when a timer is due.
type Schedule struct {
	At     time.Time     // by the time of day, if not zero
	After  time.Duration // else so long from now
	Period time.Duration // and then again and again; 0 for once
}

// syncObject is what each system's Sync does.
type syncObject interface {
	// TryLock locks a mutex that is free, if that takes no more than a moment.
	// A false answer means nothing.
	TryLock() (Taken, bool)
	// Wait takes the object as soon as it is signaled.
	Wait(context.Context) (Taken, error)
	// TryWait takes the object if it is signaled now.
	TryWait() (Taken, bool, error)
	// Unlock ends what a wait for a mutex began, and Relock adds one more
	// Unlock to it: object.ErrNotOwner if it has ended.
	Unlock(Taken) error
	Relock(Taken) error
	// SetEvent, ResetEvent and PulseEvent are for events.
	SetEvent() error
	ResetEvent() error
	PulseEvent() error
	// ReleaseSemaphore adds permits and returns how many there were:
	// object.ErrLimit if there would be too many.
	ReleaseSemaphore(n int32) (previous int32, err error)
	// SetTimer and CancelTimer are for timers.
	SetTimer(Schedule) error
	CancelTimer() error
	// Export returns an open file that is a handle to the object by itself, for one
	// receiver. The object lives while it is open, in whatever process.
	Export() (*os.File, error)
	// Check returns object.ErrNameLost if the name no longer leads here.
	// SpotCheck is Check for each lock and unlock: it costs less, and does not
	// look each time.
	Check() error
	SpotCheck() error
	// Close gives the handle up. Mutexes that it holds are abandoned, waits
	// through it end with os.ErrClosed.
	Close() error
}

var _ syncObject = (*Sync)(nil)

// State is what can be told of a synchronization object from outside.
type State struct {
	Signaled   bool // as Windows has it: a mutex is signaled while it is free
	Manual     bool
	Count, Max int
	Owner      int // process that holds the mutex; 0 for none, or if that is unknown
	Abandoned  bool
	Waiters    bool      // somebody may be waiting
	Due        time.Time // zero for never
	Period     time.Duration

	// Unknown says which of the fields above the system does not tell.
	Unknown struct{ Manual, Waiters, Period bool }
}

// The functions that each system's files define:
//
//	CreateSync(SyncSpec) (*Sync, error)             object.ErrExist if the name exists
//	CreateLocked(SyncSpec) (*Sync, Taken, error)    of a mutex: nobody else has it before
//	OpenSync(object.Name, object.Kind) (*Sync, error)
//	ReceiveSync(*os.File, object.Kind) (*Sync, object.Name, error)    of what Export returned
//	WaitAny(context.Context, []*Sync) (int, Taken, error)
//	WaitAll(context.Context, []*Sync) ([]Taken, error)    fs.ErrInvalid for an object named twice
//
// A wait whose context is done takes what it can take now.
var _ = [...]any{
	(func(SyncSpec) (*Sync, error))(CreateSync),
	(func(SyncSpec) (*Sync, Taken, error))(CreateLocked),
	(func(object.Name, object.Kind) (*Sync, error))(OpenSync),
	(func(*os.File, object.Kind) (*Sync, object.Name, error))(ReceiveSync),
	(func(context.Context, []*Sync) (int, Taken, error))(WaitAny),
	(func(context.Context, []*Sync) ([]Taken, error))(WaitAll),
}
