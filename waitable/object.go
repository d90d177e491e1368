package waitable

import (
	"context"
	"errors"
	"os"
	"runtime"
	"sync"

	"github.com/filemap-go/filemap/internal/kernel"
	"github.com/filemap-go/filemap/object"
)

// Object is something to wait for: a [*Mutex], a [*Semaphore], an [*Event], a
// [*Timer] or a [Name].
type Object interface {
	// Name returns the object's name with its prefix, or "".
	Name() string
	// Kind returns the object's kind.
	Kind() object.Kind

	// One of them is nil. They are methods, so that a type that embeds an Object is
	// one, too.
	waitable() *handle
	conditional() conditional
}

// Security says which users besides its creator may use an object: see
// [object.Security].
type Security = object.Security

// handle is what all kinds have in common.
type handle struct {
	name   object.Name
	kind   object.Kind
	kernel *kernel.Sync

	started *startedJobs

	closing sync.Mutex
	closed  bool
	cleanup runtime.Cleanup
}

// newHandle returns a handle, which closes itself if the caller drops it.
func newHandle(name object.Name, kind object.Kind, k *kernel.Sync) *handle {
	started := &startedJobs{}
	h := &handle{name: name, kind: kind, kernel: k, started: started}
	h.cleanup = kernel.CloseDropped(h, name, func() error {
		return errors.Join(started.close(), k.Close())
	})
	return h
}

func (h *handle) waitable() *handle        { return h }
func (h *handle) conditional() conditional { return nil }

// Name returns the object's name with its prefix, or "".
func (h *handle) Name() string { return h.name.String() }

// Kind returns the object's kind.
func (h *handle) Kind() object.Kind { return h.kind }

// close gives the handle up.
func (h *handle) close() error {
	h.closing.Lock()
	defer h.closing.Unlock()
	if h.closed {
		return h.failed("close", os.ErrClosed)
	}
	h.closed = true
	h.cleanup.Stop()
	return h.check("close", errors.Join(h.started.close(), h.kernel.Close()))
}

// Check checks that the object's name still leads to it: on Linux other programs
// (rm, logind) can remove any file in /dev/shm. The object still works for the
// processes that have it open, but processes that open or create the name later
// use another object. Mutexes and semaphores check by themselves: see [Mutex] and
// [Semaphore].
//
// Returns object.ErrNameLost if no process can open the object by its name.
//
// # Windows notes
//
// No program can remove a name, and Check returns nil.
func (h *handle) Check() error {
	h.closing.Lock()
	defer h.closing.Unlock()
	if h.closed {
		return h.failed("check", os.ErrClosed)
	}
	return h.check("check", h.kernel.Check())
}

// failed returns the error of an operation on the object.
func (h *handle) failed(op string, err error) error {
	return &object.Error{Op: op, Kind: h.kind, Name: h.name.String(), Err: err}
}

func (h *handle) check(op string, err error) error {
	if err != nil {
		return h.failed(op, err)
	}
	return nil
}

// wait takes the object as soon as it is signaled.
func (h *handle) wait(ctx context.Context, op string) (kernel.Taken, error) {
	got, err := h.kernel.Wait(ctx)
	if err != nil {
		return kernel.Taken{}, h.failed(op, err)
	}
	return got, nil
}

// try takes the object if it is signaled now.
func (h *handle) try(op string) (kernel.Taken, bool, error) {
	got, ok, err := h.kernel.TryWait()
	return got, ok, h.check(op, err)
}

// create makes an object.
func create(name string, spec kernel.SyncSpec) (*handle, error) {
	return createWith(name, spec, kernel.CreateSync)
}

// createWith makes an object by a function of the kernel.
func createWith(
	name string, spec kernel.SyncSpec, create func(kernel.SyncSpec) (*kernel.Sync, error),
) (*handle, error) {
	parsed, err := parseName(name)
	if err != nil {
		return nil, startFailed("create", name, spec.Kind, err)
	}
	spec.Name = parsed
	k, err := create(spec)
	if err != nil {
		return nil, startFailed("create", name, spec.Kind, err)
	}
	return newHandle(parsed, spec.Kind, k), nil
}

// open opens an object that some process holds.
func open(name string, kind object.Kind) (*handle, error) {
	parsed, err := parseName(name)
	if err == nil && parsed.IsZero() {
		err = kernel.ErrNoName
	}
	if err != nil {
		return nil, startFailed("open", name, kind, err)
	}
	k, err := kernel.OpenSync(parsed, kind)
	if err != nil {
		return nil, startFailed("open", name, kind, err)
	}
	return newHandle(parsed, kind, k), nil
}

func parseName(name string) (object.Name, error) {
	n, err := object.ParseName(name)
	if err == nil && n.Scope == object.POSIX {
		err = object.Explain(object.ErrInvalidName, "POSIX names are for mappings only")
	}
	return n, err
}

func startFailed(op, name string, kind object.Kind, err error) error {
	if parsed, parseErr := object.ParseName(name); parseErr == nil {
		name = parsed.String()
	}
	return &object.Error{Op: op, Kind: kind, Name: name, Err: err}
}

// openOrCreate opens an object, or makes it if there is none.
func openOrCreate(name string, spec kernel.SyncSpec) (h *handle, created bool, err error) {
	return kernel.OpenOrCreate(name != "",
		func() (*handle, error) { return open(name, spec.Kind) },
		func() (*handle, error) { return create(name, spec) })
}
