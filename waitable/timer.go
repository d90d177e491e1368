package waitable

import (
	"context"
	"io/fs"
	"time"

	"github.com/filemap-go/filemap/internal/kernel"
	"github.com/filemap-go/filemap/object"
)

// Timer is a handle to a signal that comes at a time. It comes whatever becomes
// of the process that set the timer.
type Timer struct{ *handle }

// TimerOptions are the options of [CreateTimer]. The zero value stands for the
// defaults.
type TimerOptions struct {
	// ManualReset makes a timer that stays signaled until it is set again.
	ManualReset bool
	// Security says who else may use the timer; nil is for nobody, on Windows
	// for whom the system's default admits.
	Security *Security
}

func (o *TimerOptions) spec() kernel.SyncSpec {
	spec := kernel.SyncSpec{Kind: object.Timer}
	if o != nil {
		spec.Manual, spec.Security = o.ManualReset, o.Security
	}
	return spec
}

// CreateTimer makes a timer that is not set. An empty name makes one that
// nobody else can open. The errors are those of [CreateMutex].
//
// See CreateWaitableTimer of Win32.
func CreateTimer(name string, opts *TimerOptions) (*Timer, error) {
	h, err := create(name, opts.spec())
	if err != nil {
		return nil, err
	}
	return &Timer{h}, nil
}

// OpenTimer opens a timer that some process has open. The errors are those of
// [OpenMutex].
func OpenTimer(name string) (*Timer, error) {
	h, err := open(name, object.Timer)
	if err != nil {
		return nil, err
	}
	return &Timer{h}, nil
}

// OpenOrCreateTimer opens a timer, or makes it if there is none, and reports
// which. One that exists stays as it is.
func OpenOrCreateTimer(name string, opts *TimerOptions) (t *Timer, created bool, err error) {
	h, created, err := openOrCreate(name, opts.spec())
	if err != nil {
		return nil, false, err
	}
	return &Timer{h}, created, nil
}

// SetAt takes the timer's signal away and has it come at a time of day, then
// once each period, if that is not 0. It follows the system's clock when that
// is set. A time that has passed is now. Periods that nobody waited for do not
// add up. Windows counts periods in milliseconds; a fraction of one is an
// error (fs.ErrInvalid) on both systems.
func (t *Timer) SetAt(at time.Time, period time.Duration) error {
	return t.set(kernel.Schedule{At: at, Period: period})
}

// SetAfter is [Timer.SetAt] for a length of time from now. It does not go on
// while the machine sleeps, and does not mind the system's clock being set.
func (t *Timer) SetAfter(after, period time.Duration) error {
	return t.set(kernel.Schedule{After: after, Period: period})
}

const periodMax = (1<<31 - 1) * time.Millisecond

func (t *Timer) set(at kernel.Schedule) error {
	if at.Period < 0 || at.Period > periodMax || at.Period%time.Millisecond != 0 {
		return t.failed("set", object.Explain(fs.ErrInvalid,
			"the period must be whole milliseconds, 2147483647 at the most"))
	}
	return t.check("set", t.kernel.SetTimer(at))
}

// Cancel makes the timer due never more. A signal that has come stays.
func (t *Timer) Cancel() error { return t.check("cancel", t.kernel.CancelTimer()) }

// Wait waits until the timer is signaled, and takes the signal unless it is a
// manual-reset timer. If ctx ends first, the error wraps context.Cause(ctx).
func (t *Timer) Wait(ctx context.Context) error {
	_, err := t.wait(ctx, "wait")
	return err
}

// TryWait reports whether the timer is signaled, and takes the signal unless
// it is a manual-reset timer.
func (t *Timer) TryWait() (bool, error) {
	_, ok, err := t.try("wait")
	return ok, err
}

// Close gives the handle up. With the last one in any process the timer is gone.
// Waits through this handle end with os.ErrClosed. A second Close returns
// os.ErrClosed.
//
// A handle that the program no longer refers to is closed by the garbage
// collector some time later, as an [os.File] is.
func (t *Timer) Close() error { return t.close() }
