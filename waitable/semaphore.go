package waitable

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"

	"github.com/filemap-go/filemap/internal/kernel"
	"github.com/filemap-go/filemap/object"
)

// Semaphore is a handle to a semaphore: a number of permits that processes acquire
// and release. Permits have no owner: if a process dies, the permits that it
// has not released are lost, unless the semaphore is [SemaphoreOptions.Tracked].
type Semaphore struct{ *handle }

// SemaphoreOptions are the options of [CreateSemaphore]. The zero value has
// the defaults.
type SemaphoreOptions struct {
	// Security says which other users may use the semaphore. nil admits
	// none; on Windows it admits those that the system's default admits.
	Security *Security

	// Tracked creates a semaphore that records which handle acquired each permit.
	// The permits that a handle has not released return when it is closed, and
	// within a quarter of a second after its process dies. Up to 224 handles can
	// be open at a time. On Windows it is errors.ErrUnsupported.
	Tracked bool
}

func (o *SemaphoreOptions) spec(initial, maximum int) (kernel.SyncSpec, error) {
	spec := kernel.SyncSpec{Kind: object.Semaphore, Count: int32(initial), Max: int32(maximum)}
	if o != nil {
		spec.Security, spec.Tracked = o.Security, o.Tracked
	}
	if initial < 0 || maximum < 1 || initial > maximum || maximum > math.MaxInt32 {
		return spec, object.Explain(fs.ErrInvalid, fmt.Sprintf(
			"permits %d, maximum %d: the permits must be 0 to the maximum, and that 1 to 2147483647",
			initial, maximum))
	}
	return spec, nil
}

// CreateSemaphore creates a semaphore with initial permits, from 0 to maximum.
// The maximum is from 1 to 2,147,483,647. A semaphore with an empty name cannot
// be opened by others.
//
// Returns fs.ErrInvalid if the numbers are wrong, and the errors of
// [CreateMutex].
//
// See CreateSemaphore of Win32.
func CreateSemaphore(name string, initial, maximum int, opts *SemaphoreOptions) (*Semaphore, error) {
	spec, err := opts.spec(initial, maximum)
	if err != nil {
		return nil, startFailed("create", name, spec.Kind, err)
	}
	h, err := create(name, spec)
	if err != nil {
		return nil, err
	}
	return &Semaphore{h}, nil
}

// OpenSemaphore opens a semaphore that a process has open. The errors are
// those of [OpenMutex].
func OpenSemaphore(name string) (*Semaphore, error) {
	h, err := open(name, object.Semaphore)
	if err != nil {
		return nil, err
	}
	return &Semaphore{h}, nil
}

// OpenOrCreateSemaphore opens a semaphore, or creates it if there is none, and
// reports which it did. An existing semaphore keeps its permits and its maximum.
func OpenOrCreateSemaphore(
	name string, initial, maximum int, opts *SemaphoreOptions,
) (s *Semaphore, created bool, err error) {
	spec, err := opts.spec(initial, maximum)
	if err != nil {
		return nil, false, startFailed("create", name, spec.Kind, err)
	}
	h, created, err := openOrCreate(name, spec)
	if err != nil {
		return nil, false, err
	}
	return &Semaphore{h}, created, nil
}

// Acquire waits for a permit and takes it. If ctx ends first, the error wraps
// context.Cause(ctx).
func (s *Semaphore) Acquire(ctx context.Context) error {
	if _, err := s.wait(ctx, "acquire"); err != nil {
		return err
	}
	return s.acquired()
}

// acquired gives a permit that was just taken back if the semaphore has lost
// its name.
func (s *Semaphore) acquired() error {
	err := s.kernel.SpotCheck()
	if err != nil {
		_, back := s.kernel.ReleaseSemaphore(1)
		err = errors.Join(err, back)
	}
	return s.check("acquire", err)
}

// TryAcquire takes a permit if there is one, and reports whether it did.
func (s *Semaphore) TryAcquire() (bool, error) {
	_, ok, err := s.try("acquire")
	if ok {
		err = s.acquired()
	}
	return ok && err == nil, err
}

// Release adds n permits and returns how many there were before.
//
// Returns object.ErrLimit, and adds none, if there would be more than the
// maximum, and fs.ErrInvalid if n is less than 1. If it returns
// object.ErrNameLost it has added them.
func (s *Semaphore) Release(n int) (previous int, err error) {
	if n > math.MaxInt32 {
		return 0, s.failed("release", object.ErrLimit)
	}
	before, err := s.kernel.ReleaseSemaphore(int32(max(n, 0)))
	if err != nil {
		return 0, s.failed("release", err)
	}
	return int(before), s.check("release", s.kernel.SpotCheck())
}

// Close closes the handle. The last Close in any process removes the semaphore.
// Waits that use this handle end with os.ErrClosed. If the semaphore is tracked,
// the permits of the handle return to it. A second Close returns os.ErrClosed.
//
// A handle that the program no longer refers to is closed by the garbage
// collector some time later, as an [os.File] is.
func (s *Semaphore) Close() error { return s.close() }
