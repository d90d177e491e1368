package waitable

import (
	"context"
	"io/fs"
	"time"

	"github.com/filemap-go/filemap/internal/kernel"
	"github.com/filemap-go/filemap/object"
)

// Timer is a handle to a timer: a signal that is set at a time, also if the process
// that set the timer has died by then.
type Timer struct{ *handle }

// TimerOptions are the options of [CreateTimer]. The zero value has the
// defaults.
type TimerOptions struct {
	// ManualReset creates a timer that stays signaled until it is set again.
	ManualReset bool
	// Security says which other users may use the timer. nil admits
	// none; on Windows it admits those that the system's default admits.
	Security *Security

	// At or After, but not both, sets the timer as [Timer.SetAt] or
	// [Timer.SetAfter] does, before any other process can open it. It is then due
	// again after each Period, unless that is 0. With Period alone it is first due
	// after one Period. If all three are zero, the timer is not set.
	At     time.Time
	After  time.Duration
	Period time.Duration
}

func (o *TimerOptions) spec() (kernel.SyncSpec, error) {
	spec := kernel.SyncSpec{Kind: object.Timer}
	if o == nil {
		return spec, nil
	}
	spec.Manual, spec.Security = o.ManualReset, o.Security
	at := kernel.Schedule{At: o.At, After: o.After, Period: o.Period}
	switch {
	case at == kernel.Schedule{}:
		return spec, nil
	case !at.At.IsZero() && at.After != 0:
		return spec, errAtAndAfter
	case at.At.IsZero() && at.After == 0:
		at.After = at.Period
	}
	spec.Schedule = &at
	return spec, checkPeriod(at.Period)
}

var errAtAndAfter = object.Explain(fs.ErrInvalid, "At and After are both given")

// CreateTimer creates a timer, which is not set unless opts say when it is due. A
// timer with an empty name cannot be opened by others.
//
// Returns fs.ErrInvalid if opts contradict each other or the period is wrong,
// and the errors of [CreateMutex].
//
// See CreateWaitableTimer and SetWaitableTimer of Win32.
func CreateTimer(name string, opts *TimerOptions) (*Timer, error) {
	spec, err := opts.spec()
	if err != nil {
		return nil, startFailed("create", name, object.Timer, err)
	}
	h, err := create(name, spec)
	if err != nil {
		return nil, err
	}
	return &Timer{h}, nil
}

// OpenTimer opens a timer that a process has open. If its creator sets it by
// [TimerOptions], it is set. The errors are those of
// [OpenMutex].
func OpenTimer(name string) (*Timer, error) {
	h, err := open(name, object.Timer)
	if err != nil {
		return nil, err
	}
	return &Timer{h}, nil
}

// OpenOrCreateTimer opens a timer, or creates it if there is none, and reports
// which it did. For an existing timer the options are ignored.
func OpenOrCreateTimer(name string, opts *TimerOptions) (t *Timer, created bool, err error) {
	spec, err := opts.spec()
	if err != nil {
		return nil, false, startFailed("create", name, object.Timer, err)
	}
	h, created, err := openOrCreate(name, spec)
	if err != nil {
		return nil, false, err
	}
	return &Timer{h}, created, nil
}

// SetAt makes the timer not signaled, and due at a time of day and then once each
// period, unless that is 0. If the system's clock is set, the timer follows it.
// If the time has passed, the timer is due now. A timer that was due several
// times before a wait is signaled once. The period must be whole milliseconds,
// as on Windows: otherwise SetAt returns fs.ErrInvalid.
func (t *Timer) SetAt(at time.Time, period time.Duration) error {
	return t.set(kernel.Schedule{At: at, Period: period})
}

// SetAfter is [Timer.SetAt] for a length of time from now. The time during which
// the machine sleeps does not count, and setting the system's clock has no effect.
func (t *Timer) SetAfter(after, period time.Duration) error {
	return t.set(kernel.Schedule{After: after, Period: period})
}

const periodMax = (1<<31 - 1) * time.Millisecond

func (t *Timer) set(at kernel.Schedule) error {
	err := checkPeriod(at.Period)
	if err == nil {
		err = t.kernel.SetTimer(at)
	}
	return t.check("set", err)
}

func checkPeriod(period time.Duration) error {
	if period < 0 || period > periodMax || period%time.Millisecond != 0 {
		return object.Explain(fs.ErrInvalid,
			"the period "+period.String()+": it must be 0 to 2147483647 whole milliseconds")
	}
	return nil
}

// Cancel disarms the timer. It stays signaled if it already was.
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

// Close closes the handle. The last Close in any process removes the timer. Waits
// that use this handle end with os.ErrClosed. A second Close returns
// os.ErrClosed.
//
// A handle that the program no longer refers to is closed by the garbage
// collector some time later, as an [os.File] is.
func (t *Timer) Close() error { return t.close() }
