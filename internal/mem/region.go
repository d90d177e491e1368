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
	"runtime"
	"sync"
	"sync/atomic"

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
	// so Close lets those finish first. It is nil where a touch during and
	// after Detach faults for certain, which saves 8 ns an access.
	inFlight *atomic.Int64

	mu sync.Mutex // held by Close and Flush
}

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
// os.ErrClosed, and so do all later ones. A second Close returns os.ErrClosed.
func (r *Region) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed.Swap(true) {
		return os.ErrClosed
	}
	for r.inFlight != nil && r.inFlight.Load() > 0 {
		runtime.Gosched() // an access is one memory copy: it ends soon
	}
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
