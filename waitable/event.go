package waitable

import (
	"context"

	"github.com/filemap-go/filemap/internal/kernel"
	"github.com/filemap-go/filemap/object"
)

// Event is a handle to a signal that any process sets. An auto-reset event
// lets one wait go on for each time it is set; a manual-reset event lets all go
// on until it is reset.
type Event struct{ *handle }

// EventOptions are the options of [CreateEvent]. The zero value stands for the
// defaults.
type EventOptions struct {
	// ManualReset makes an event that stays signaled until it is reset.
	ManualReset bool
	// Signaled makes an event that is signaled from the start.
	Signaled bool
	// Security says who else may use the event; nil is for nobody, on Windows
	// for whom the system's default admits.
	Security *Security
}

func (o *EventOptions) spec() kernel.SyncSpec {
	spec := kernel.SyncSpec{Kind: object.Event}
	if o != nil {
		spec.Manual, spec.Signaled, spec.Security = o.ManualReset, o.Signaled, o.Security
	}
	return spec
}

// CreateEvent makes an event. An empty name makes one that nobody else can
// open. The errors are those of [CreateMutex].
//
// See CreateEvent of Win32.
func CreateEvent(name string, opts *EventOptions) (*Event, error) {
	h, err := create(name, opts.spec())
	if err != nil {
		return nil, err
	}
	return &Event{h}, nil
}

// OpenEvent opens an event that some process has open. The errors are those of
// [OpenMutex].
func OpenEvent(name string) (*Event, error) {
	h, err := open(name, object.Event)
	if err != nil {
		return nil, err
	}
	return &Event{h}, nil
}

// OpenOrCreateEvent opens an event, or makes it if there is none, and reports
// which. One that exists stays as it is.
func OpenOrCreateEvent(name string, opts *EventOptions) (e *Event, created bool, err error) {
	h, created, err := openOrCreate(name, opts.spec())
	if err != nil {
		return nil, false, err
	}
	return &Event{h}, created, nil
}

// Wait waits until the event is signaled, and resets it unless it is a
// manual-reset event. If ctx ends first, the error wraps context.Cause(ctx).
func (e *Event) Wait(ctx context.Context) error {
	_, err := e.wait(ctx, "wait")
	return err
}

// TryWait reports whether the event is signaled, and resets it unless it is a
// manual-reset event.
func (e *Event) TryWait() (bool, error) {
	_, ok, err := e.try("wait")
	return ok, err
}

// Set signals the event. Setting it again before a wait has seen it changes
// nothing.
func (e *Event) Set() error { return e.check("set", e.kernel.SetEvent()) }

// Reset takes the signal away.
func (e *Event) Reset() error { return e.check("reset", e.kernel.ResetEvent()) }

// Pulse lets those go on that wait at this moment, of an auto-reset event one
// of them, and leaves the event without a signal. Who comes a moment later has
// missed it, so Set serves better wherever there is a choice; Pulse is for
// programs that use PulseEvent of Win32.
func (e *Event) Pulse() error { return e.check("pulse", e.kernel.PulseEvent()) }

// Close gives the handle up. With the last one in any process the event is gone.
// Waits through this handle end with os.ErrClosed. A second Close returns
// os.ErrClosed.
//
// A handle that the program no longer refers to is closed by the garbage
// collector some time later, as an [os.File] is.
func (e *Event) Close() error { return e.close() }
