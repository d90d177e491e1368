package waitable

import (
	"context"

	"github.com/filemap-go/filemap/internal/kernel"
	"github.com/filemap-go/filemap/object"
)

// Event is a handle to an event: a signal that any process can set. An
// auto-reset event ends one wait each time it is set. A manual-reset event ends
// all waits until it is reset.
type Event struct{ *handle }

// EventOptions are the options of [CreateEvent]. The zero value has the
// defaults.
type EventOptions struct {
	// ManualReset creates an event that stays signaled until it is reset.
	ManualReset bool
	// Signaled creates an event that is signaled from the start.
	Signaled bool
	// Security says which other users may use the event. nil admits
	// none; on Windows it admits those that the system's default admits.
	Security *Security
}

func (o *EventOptions) spec() kernel.SyncSpec {
	spec := kernel.SyncSpec{Kind: object.Event}
	if o != nil {
		spec.Manual, spec.Signaled, spec.Security = o.ManualReset, o.Signaled, o.Security
	}
	return spec
}

// CreateEvent creates an event. An event with an empty name cannot be opened by
// others. The errors are those of [CreateMutex].
//
// See CreateEvent of Win32.
func CreateEvent(name string, opts *EventOptions) (*Event, error) {
	h, err := create(name, opts.spec())
	if err != nil {
		return nil, err
	}
	return &Event{h}, nil
}

// OpenEvent opens an event that a process has open. The errors are those of
// [OpenMutex].
func OpenEvent(name string) (*Event, error) {
	h, err := open(name, object.Event)
	if err != nil {
		return nil, err
	}
	return &Event{h}, nil
}

// OpenOrCreateEvent opens an event, or creates it if there is none, and reports
// which it did. For an existing event the options are ignored.
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

// Set signals the event. If it is still signaled, Set has no effect.
func (e *Event) Set() error { return e.check("set", e.kernel.SetEvent()) }

// Reset makes the event not signaled.
func (e *Event) Reset() error { return e.check("reset", e.kernel.ResetEvent()) }

// Pulse ends the waits that are in progress, or one of them if it is an
// auto-reset event, and leaves the event not signaled. A wait that begins a
// moment later misses the signal, so prefer Set; Pulse is for programs that use
// PulseEvent of Win32.
func (e *Event) Pulse() error { return e.check("pulse", e.kernel.PulseEvent()) }

// Close closes the handle. The last Close in any process removes the event. Waits
// that use this handle end with os.ErrClosed. A second Close returns
// os.ErrClosed.
//
// A handle that the program no longer refers to is closed by the garbage
// collector some time later, as an [os.File] is.
func (e *Event) Close() error { return e.close() }
