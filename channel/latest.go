package channel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/channel/internal/segment"
	"github.com/filemap-go/filemap/object"
)

// Latest is a handle to a register: a value of a fixed size with a name. A write
// replaces the value. A read returns one whole value, never a torn one, and
// writers do not wait for readers. Any process that has it open may read and
// write.
//
// [Latest.Write], [Latest.Read] and [Latest.Wait] copy the value.
// [Latest.Reserve], [Latest.Lease] and [Latest.Next] do not: for large values.
//
// If a writer dies while it writes, the value stays as it was before. If a reader
// dies, its leases are given back. All methods may be called from any goroutine.
type Latest struct {
	segment *segment.Segment
	slots   ring.Slots
	bell    *segment.Bell
	spin    segment.Spin // of Wait
	writing segment.Spin

	// turn is held by the one goroutine of this handle that writes, or for its
	// draft, waiting by the one that sleeps: the others queue.
	turn    sync.Mutex
	waiting chan struct{}
	news    news // for those that queue

	// Drafts and leases have numbers, so that each is ended once. 0 is none.
	serial  atomic.Uint64
	drafted atomic.Uint64   // the draft
	leased  []atomic.Uint64 // the lease that this handle has of each number
}

// LatestOptions are the options of [CreateLatest] and its siblings. The zero
// value has the defaults.
type LatestOptions struct {
	// Leases is how many leases there can be at a time, of all readers together:
	// up to 60. 0 means 2. A new value takes memory for as many values and four
	// more. An existing value keeps its number of leases: see [OpenOrCreateLatest].
	Leases int

	// Spin is how long [Latest.Wait] spins before it sleeps:
	// [SpinAdaptive], [SpinNever], [SpinAlways], or a time.
	Spin time.Duration

	// Type is that of the messages, from [TypeOf], or nil if they have none. An
	// existing register that has another type, or none, is an object.ErrWrongKind. With a
	// nil Type any register can be opened.
	Type *Type

	// Security says which other users may open a new value. nil admits none; on
	// Windows it admits those that the system's default admits.
	Security *Security
}

var (
	// ErrNoValue: nothing has been written yet.
	ErrNoValue = errors.New("nothing has been written yet")
	// ErrTooFast: each value was overwritten before it could be read.
	ErrTooFast = ring.ErrTooFast
)

// CreateLatest creates a value of size bytes. Its memory is limited to 4 GiB: see
// [LatestOptions]. The errors are those of [CreateQueue].
func CreateLatest(name string, size int, opts *LatestOptions) (*Latest, error) {
	l, _, err := newLatest("create", name, size, opts, segment.Create)
	return l, err
}

// OpenLatest opens a value that a process has open. The errors are those of
// [OpenQueue].
func OpenLatest(name string, opts *LatestOptions) (*Latest, error) {
	l, _, err := newLatest("open", name, 1, opts, segment.Open)
	return l, err
}

// OpenOrCreateLatest opens a value, or creates it if there is none, and reports
// which it did.
//
// Returns fs.ErrExist if the value exists with another size, or another number of
// Leases than opts asks for; 0 asks for none. The other errors are those of
// [CreateQueue].
func OpenOrCreateLatest(name string, size int, opts *LatestOptions) (l *Latest, created bool, err error) {
	return newLatest("open", name, size, opts, segment.OpenOrCreate)
}

// AwaitLatest waits until a value of the name exists and opens it. If ctx ends
// first, the error wraps context.Cause(ctx).
func AwaitLatest(ctx context.Context, name string, opts *LatestOptions) (*Latest, error) {
	return await(ctx, name, func() (*Latest, error) { return OpenLatest(name, opts) })
}

func newLatest(op, name string, size int, opts *LatestOptions, way segment.Way) (l *Latest, created bool, err error) {
	if opts == nil {
		opts = &LatestOptions{}
	}
	leases := opts.Leases
	if leases == 0 {
		leases = leasesDefault
	}
	capacity, err := slotsCapacity(size, leases)
	if err != nil {
		return nil, false, failed(op, name, err)
	}
	if opts.Type != nil && way != segment.Open && size != opts.Type.Size() {
		err := object.Explain(fs.ErrInvalid, fmt.Sprintf("size %d: that of %s must be its own", size, opts.Type))
		return nil, false, failed(op, name, err)
	}
	seg, created, err := openSegment(segment.Spec{
		Name: name, Kind: segment.Latest, Capacity: capacity,
		Option: segment.NewOption(size, leases), Security: opts.Security,
	}, way, wanted{exact: opts.Leases != 0, messages: opts.Type})
	if err != nil {
		return nil, false, failed(op, name, err)
	}
	l = &Latest{segment: seg, waiting: make(chan struct{}, 1)}
	l.spin.Option, l.writing.Option = opts.Spin, segment.SpinLongest
	if err := l.start(); err != nil {
		return nil, false, failed(op, name, errors.Join(err, seg.Close()))
	}
	return l, created, nil
}

const leasesDefault = 2

// slotsCapacity returns the memory for values of a size, and so many leases.
func slotsCapacity(size, leases int) (int64, error) {
	if size <= 0 || int64(size) > segment.CapacityMost || leases < 0 || leases > ring.LeasesMost {
		return 0, object.Explain(fs.ErrInvalid, fmt.Sprintf(
			"size %d, %d leases: there must be at least 1 byte, at most 4 GiB, and at most %d leases",
			size, leases, ring.LeasesMost))
	}
	capacity := (ring.SlotsSize(size, leases) + segment.PageSize - 1) / segment.PageSize * segment.PageSize
	if capacity > segment.CapacityMost {
		return 0, object.Explain(fs.ErrInvalid, fmt.Sprintf(
			"size %d, %d leases: that takes the memory of %d values, and the limit is 4 GiB",
			size, leases, leases+ring.SlotsLeast))
	}
	return capacity, nil
}

func (l *Latest) start() error {
	leases := l.segment.Shape.LeaseLimit()
	capacity, err := slotsCapacity(l.Size(), leases)
	if err != nil || leases == 0 || uint64(capacity) > l.segment.Shape.Capacity {
		return object.ErrCorrupt
	}
	r, err := l.segment.Ring()
	if err != nil {
		return err
	}
	words, err := l.segment.Leases(leases)
	if err != nil {
		return err
	}
	l.slots = ring.NewSlots(r, l.Size(), words)
	l.leased = make([]atomic.Uint64, leases)
	suffix := segment.DataBell(l.segment.Member.Number)
	if l.bell, err = l.segment.Bell(suffix, &r.Bells.Data, &r.Receive.Waits); err != nil {
		return err
	}
	return l.segment.Peers.Start(l.slots.Release)
}

// Name returns the value's name with its prefix.
func (l *Latest) Name() string { return l.segment.Name }

// Size returns the value's size in bytes.
func (l *Latest) Size() int { return l.segment.Shape.ValueSize() }

// Close closes the handle; waits that use it end with os.ErrClosed, a draft is
// aborted, and leases are given back. The last Close in any process removes the
// value. A second Close returns os.ErrClosed.
func (l *Latest) Close() error {
	if l.segment.Closed.Swap(true) {
		return l.check("close", os.ErrClosed)
	}
	if !l.endDraft(l.drafted.Load()) {
		l.turn.Lock()
	}
	defer l.turn.Unlock()
	_ = l.segment.View.Guard(func() error {
		l.slots.Release(l.segment.Member.Number)
		return nil
	})
	return l.check("close", l.segment.Close())
}

// Read copies the newest value to buffer, which must have room for Size bytes,
// and returns its version. The first Write makes version 1, and each further
// Write adds 1.
//
// Returns [ErrNoValue] if nothing has been written, [ErrTooFast] if a thousand
// attempts each read a value that was overwritten meanwhile, and
// object.ErrCorrupt if another process has corrupted the memory. What buffer
// holds is then undefined.
func (l *Latest) Read(buffer []byte) (version uint64, err error) {
	version, a, err := l.read(buffer, ring.NoVersion, 1)
	if a != ring.Done && err == nil {
		err = ErrNoValue
	}
	return version, l.check("read", err)
}

// read returns the newest value if it is another than after within so many
// tries.
func (l *Latest) read(buffer []byte, after uint64, tries int) (version uint64, a ring.Attempt, err error) {
	if len(buffer) < l.Size() {
		return 0, a, object.Explain(fs.ErrInvalid, fmt.Sprintf(
			"the buffer has %d bytes, and the value %d", len(buffer), l.Size()))
	}
	err = l.segment.View.Guard(func() (err error) {
		for range tries {
			version, a, err = l.slots.Read(buffer, after)
			if a == ring.Done || err != nil {
				break
			}
		}
		return err
	})
	return version, a, err
}

// Wait waits until the newest version is not after, and then does what
// [Latest.Read] does. If after is 0, it waits only if nothing has been written.
// If ctx ends first, the error wraps context.Cause(ctx).
func (l *Latest) Wait(ctx context.Context, after uint64, buffer []byte) (version uint64, err error) {
	version, a, err := l.read(buffer, after, 1)
	if err == nil && a != ring.Done {
		err = l.await(ctx, func(tries int) (a ring.Attempt, err error) {
			version, a, err = l.read(buffer, after, tries)
			return a, err
		})
	}
	return version, l.check("wait", err)
}

// await tries again and again after a first attempt that was not done. One goroutine
// at a time waits for the bell; the others queue.
func (l *Latest) await(ctx context.Context, try func(tries int) (ring.Attempt, error)) error {
	select {
	case l.waiting <- struct{}{}:
	default:
		if ended, err := l.queue(ctx, try); ended {
			return err
		}
	}
	defer func() { <-l.waiting }()
	p := segment.Patience{Bell: l.bell, Spin: &l.spin}
	defer p.Stop()
	for {
		a, err := try(l.spin.Tries())
		if err == nil && a != ring.Done {
			if err = l.segment.Peers.Wait(ctx, &p, a); err == nil {
				continue
			}
		}
		l.news.tell()
		return err
	}
}

// queue waits for the goroutine that waits for the bell: for its turn, or for its news
// that there is another value, since it may have its turn again before this one. It
// reports whether an attempt was done.
func (l *Latest) queue(ctx context.Context, try func(tries int) (ring.Attempt, error)) (ended bool, err error) {
	for {
		over := ctx.Err() != nil // before the look
		news := l.news.ask()
		switch a, err := try(1); {
		case a == ring.Done || err != nil:
			return true, err
		case over:
			return true, context.Cause(ctx)
		}
		select {
		case l.waiting <- struct{}{}:
			return false, nil
		case <-news:
		case <-ctx.Done():
		}
	}
}

func (l *Latest) check(op string, err error) error {
	if err != nil {
		return failed(op, l.segment.Name, err)
	}
	return nil
}
