// Package mem is a region of bytes that other processes may write, shrink or
// take away at any moment, and that this process may close while it is in use.
//
// Every access here is checked: an offset outside the region, a fault and a
// closed region are errors. It knows nothing of how the bytes came to be
// mapped; a region over heap memory behaves the same, which is what the race
// detector and the simulator need.
package mem

import (
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/filemap-go/filemap/internal/race"
	"github.com/filemap-go/filemap/object"
)

// Backing is the system's side of a region's bytes.
type Backing interface {
	// Detach gives the bytes up but keeps their addresses taken: from then on
	// a touch of them faults.
	Detach(data []byte) error
	// Release gives the addresses back too.
	Release(data []byte)
	// Flush writes what was changed in part of the bytes to the file behind
	// them, if there is one.
	Flush(data []byte) error
}

// Region is a range of mapped bytes. Its methods may be called from any
// goroutine, Close too while others are in progress.
type Region struct {
	data    []byte // what the user asked for
	mapped  []byte // what the system mapped: data and the rounding before it
	backing Backing
	closed  atomic.Bool
	exposed atomic.Bool // raw bytes were handed out

	// inFlight counts accesses where Detach is not one atomic step: there,
	// another thread's memory could come to lie under an access in progress,
	// so the last of those does it, and Close waits for that. It is nil where a
	// touch during and after Detach faults for certain, which saves 8 ns an access.
	inFlight *atomic.Int64
	detached chan error // with inFlight, from Close on: gets the error of Detach

	mu sync.Mutex // held by Close and Flush
}

// What inFlight is once the region is closed and from Detach on, without the accesses
// that are in progress or being refused.
const (
	closing = -1 << 62
	over    = closing - 1<<61
)

// Spec describes the bytes a region is made of.
type Spec struct {
	Mapped  []byte // what the system mapped
	Offset  int    // of the region's first byte in Mapped
	Backing Backing
	// Counted says that Backing.Detach leaves a moment in which the addresses
	// are free, so that accesses must be counted.
	Counted bool
}

// NewRegion returns the region of the bytes from spec.Offset on.
func NewRegion(spec Spec) *Region {
	r := &Region{
		data:    spec.Mapped[spec.Offset:],
		mapped:  spec.Mapped,
		backing: spec.Backing,
	}
	// The race detector's own atomic operations can't be left by a fault.
	if spec.Counted || race.Enabled {
		r.inFlight = new(atomic.Int64)
	}
	return r
}

// NewHeap returns a region of n bytes of this process's own memory.
func NewHeap(n int) *Region {
	return NewRegion(Spec{Mapped: alignedBytes(n), Backing: heap{}, Counted: true})
}

type heap struct{}

func (heap) Detach([]byte) error { return nil }
func (heap) Release([]byte)      {}
func (heap) Flush([]byte) error  { return nil }

// Len returns the number of bytes.
func (r *Region) Len() int { return len(r.data) }

// Err returns os.ErrClosed if the region is closed.
func (r *Region) Err() error {
	if r.closed.Load() {
		return os.ErrClosed
	}
	return nil
}

// Bytes returns the bytes themselves, unguarded. It returns os.ErrClosed if
// the region is closed.
func (r *Region) Bytes() ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.Err(); err != nil {
		return nil, err
	}
	r.exposed.Store(true)
	return r.data[:len(r.data):len(r.data)], nil
}

// Flush has the backing write the bytes to the file behind them.
func (r *Region) Flush() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.Err(); err != nil {
		return err
	}
	return r.backing.Flush(r.mapped)
}

// Close gives the bytes up. Accesses in progress either finish or fail with
// os.ErrClosed, and all later ones fail. A second Close returns os.ErrClosed.
//
// Where accesses are counted, Close waits for those in progress: nothing touches the
// bytes when it has returned. In a function that Guard calls, it may be waiting for
// its own caller, and waits no longer than ownPatience.
func (r *Region) Close() error {
	r.mu.Lock()
	if r.closed.Swap(true) {
		r.mu.Unlock()
		return os.ErrClosed
	}
	if r.inFlight == nil {
		defer r.mu.Unlock()
		return r.detach()
	}
	r.detached = make(chan error, 1)
	r.inFlight.Add(closing + 1) // this call is an access: the last one detaches
	r.mu.Unlock()               // accesses in progress may need it
	r.uncount()
	return r.awaitDetach()
}

// ownPatience is how long a Close waits for accesses of which one may be its caller.
// The others are as short as a copy.
const ownPatience = 100 * time.Millisecond

func (r *Region) awaitDetach() error {
	select {
	case err := <-r.detached:
		return err
	default:
	}
	var patience <-chan time.Time
	if insideGuard() {
		patience = time.After(ownPatience)
	}
	select {
	case err := <-r.detached:
		return err
	case <-patience:
		return nil
	}
}

// insideGuard reports whether a function that some region's Guard calls has called
// this one: which region's, the stack does not tell.
func insideGuard() bool {
	guard := reflect.ValueOf((*Region).Guard).Pointer()
	var pcs [64]uintptr
	for skip := 0; ; skip += len(pcs) {
		n := runtime.Callers(skip, pcs[:])
		for _, pc := range pcs[:n] {
			if f := runtime.FuncForPC(pc - 1); f != nil && f.Entry() == guard {
				return true
			}
		}
		if n < len(pcs) {
			return false
		}
	}
}

// detach is the end of Close.
func (r *Region) detach() error {
	if err := r.backing.Detach(r.mapped); err != nil {
		return err
	}
	// An access in progress still has these addresses, and keeps r reachable:
	// they may be used for something else only when r no longer is.
	old := retired{r.mapped, r.backing, r.exposed.Load()}
	WhenUnreachable(r, func() { retire(old) })
	return nil
}

// check returns an error unless the n bytes at off lie inside the open region.
func (r *Region) check(off int64, n int) error {
	if err := r.Err(); err != nil {
		return err
	}
	if off < 0 || off > int64(len(r.data)) || int64(n) > int64(len(r.data))-off {
		return object.ErrRange
	}
	return nil
}

// explain returns the error of check with the numbers. It is not part of check,
// which the compiler inlines.
func (r *Region) explain(err error, off int64, n int) error {
	if err == object.ErrRange {
		return Outside("view", off, int64(n), int64(len(r.data)))
	}
	return err
}

// checkAligned is check for bytes whose address must be a multiple of align.
func (r *Region) checkAligned(off int64, n int, align uintptr) error {
	if err := r.check(off, n); err != nil {
		return r.explain(err, off, n)
	}
	if (r.address()+uintptr(off))%align != 0 {
		return object.Explain(fs.ErrInvalid, fmt.Sprintf(
			"offset %d: the bytes do not begin at a multiple of %d", off, align))
	}
	return nil
}

// Outside returns an [object.ErrRange] for bytes that are not all among the size
// bytes of a mapping or a view.
func Outside(whole string, off, length, size int64) error {
	return object.Explain(object.ErrRange, fmt.Sprintf(
		"offset %d, length %d: the %s has %d bytes", off, length, whole, size))
}
