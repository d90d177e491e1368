package waitable

import (
	"context"
	"errors"
	"io/fs"
	"math"

	"github.com/filemap-go/filemap/internal/kernel"
	"github.com/filemap-go/filemap/object"
)

// Semaphore is a handle to a number of permits that processes take and give
// back. A permit belongs to nobody: those that a process took and did not give
// back are gone when it dies, unless the semaphore is [SemaphoreOptions.Tracked].
type Semaphore struct{ *handle }

// SemaphoreOptions are the options of [CreateSemaphore]. The zero value stands
// for the defaults.
type SemaphoreOptions struct {
	// Security says who else may use the semaphore; nil is for nobody, on
	// Windows for whom the system's default admits.
	Security *Security

	// Tracked makes a semaphore that knows who took its permits: those that a
	// handle has not given back return when it is closed, or its process dies,
	// then within a quarter of a second. At most 224 handles can be open at a
	// time. Linux only: Windows has no such thing, errors.ErrUnsupported.
	Tracked bool
}

func (o *SemaphoreOptions) spec(initial, maximum int) (kernel.SyncSpec, error) {
	spec := kernel.SyncSpec{Kind: object.Semaphore, Count: int32(initial), Max: int32(maximum)}
	if o != nil {
		spec.Security, spec.Tracked = o.Security, o.Tracked
	}
	if initial < 0 || maximum < 1 || initial > maximum || maximum > math.MaxInt32 {
		return spec, object.Explain(fs.ErrInvalid,
			"the permits must be 0 to the maximum, and that 1 to 2147483647")
	}
	return spec, nil
}

// CreateSemaphore makes a semaphore with so many permits now, and so many at
// the most: at least 1, and no more than 2,147,483,647. An empty name makes one
// that nobody else can open.
//
// Returns fs.ErrInvalid if the numbers are wrong, and else what [CreateMutex]
// returns.
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

// OpenSemaphore opens a semaphore that some process has open. The errors are
// those of [OpenMutex].
func OpenSemaphore(name string) (*Semaphore, error) {
	h, err := open(name, object.Semaphore)
	if err != nil {
		return nil, err
	}
	return &Semaphore{h}, nil
}

// OpenOrCreateSemaphore opens a semaphore, or makes it if there is none, and
// reports which. One that exists keeps its permits and its maximum.
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
// maximum, and fs.ErrInvalid if n is less than 1. With object.ErrNameLost it has
// added them.
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

// Close gives the handle up. With the last one in any process the semaphore is
// gone. Waits through this handle end with os.ErrClosed, and the permits that a
// tracked semaphore's handle has come back. A second Close returns os.ErrClosed.
//
// A handle that the program no longer refers to is closed by the garbage
// collector some time later, as an [os.File] is.
func (s *Semaphore) Close() error { return s.close() }
