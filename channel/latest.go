package channel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"os"
	"sync"
	"time"

	"github.com/filemap-go/filemap/object"
)

// Latest is a handle to a register: a value of a fixed size with a name. A write
// replaces the value. A read returns one whole value, never a torn one, and
// writers do not wait for readers. Any process that has it open may read and
// write.
//
// If a writer dies while it writes, the value stays as it was before. All methods
// may be called from any goroutine.
type Latest struct {
	*segment
	slots   slots
	bell    *bell
	spin    spin // of Wait
	writing spin

	// turn is held by the one goroutine of this handle that writes, waiting by
	// the one that sleeps: the others queue.
	turn    sync.Mutex
	waiting chan struct{}
}

// LatestOptions are the options of [CreateLatest] and its siblings. The zero
// value has the defaults.
type LatestOptions struct {
	// Spin is how long [Latest.Wait] spins before it sleeps:
	// [SpinAdaptive], [SpinNever], [SpinAlways], or a time.
	Spin time.Duration

	// Security says which other users may open a new value. nil admits none; on
	// Windows it admits those that the system's default admits.
	Security *Security
}

var (
	// ErrNoValue: nothing has been written yet.
	ErrNoValue = errors.New("nothing has been written yet")
	// ErrTooFast: each value was overwritten before it could be read.
	ErrTooFast = errors.New("values are written faster than they can be read")
)

// CreateLatest creates a value of size bytes, less than 1 GiB. It takes the memory
// of four values, rounded up to a power of two. The errors are those of
// [CreateQueue].
func CreateLatest(name string, size int, opts *LatestOptions) (*Latest, error) {
	l, _, err := newLatest("create", name, size, opts, create)
	return l, err
}

// OpenLatest opens a value that a process has open. The errors are those of
// [OpenQueue].
func OpenLatest(name string, opts *LatestOptions) (*Latest, error) {
	l, _, err := newLatest("open", name, 1, opts, open)
	return l, err
}

// OpenOrCreateLatest opens a value, or creates it if there is none, and reports
// which it did. An existing value keeps its size.
func OpenOrCreateLatest(name string, size int, opts *LatestOptions) (l *Latest, created bool, err error) {
	return newLatest("open", name, size, opts, openOrCreate)
}

// AwaitLatest waits until a value of the name exists and opens it. If ctx ends
// first, the error wraps context.Cause(ctx).
func AwaitLatest(ctx context.Context, name string, opts *LatestOptions) (*Latest, error) {
	return await(ctx, name, func() (*Latest, error) { return OpenLatest(name, opts) })
}

func newLatest(op, name string, size int, opts *LatestOptions, way way) (l *Latest, created bool, err error) {
	if opts == nil {
		opts = &LatestOptions{}
	}
	const sizeLimit = 1 << 30
	if size <= 0 || size >= sizeLimit {
		err := object.Explain(fs.ErrInvalid, fmt.Sprintf("size %d: it must be at least 1 byte and less than 1 GiB", size))
		return nil, false, failed(op, name, err)
	}
	capacity := int64(1) << bits.Len64(uint64(slotCount*slotSize(size)-1))
	seg, created, err := makeSegment(spec{
		name: name, kind: latestKind, capacity: max(capacity, capacityLeast), rings: 1,
		places: placesDefault, option: uint64(size), security: opts.Security,
	}, way)
	if err != nil {
		return nil, false, failed(op, name, err)
	}
	l = &Latest{segment: seg, waiting: make(chan struct{}, 1)}
	l.spin.option, l.writing.option = opts.Spin, spinLongest
	if err := l.start(); err != nil {
		return nil, false, failed(op, name, errors.Join(err, seg.close()))
	}
	return l, created, nil
}

func (l *Latest) start() error {
	size := l.shape.option
	if size == 0 || size > l.shape.capacity || slotCount*uint64(slotSize(int(size))) > l.shape.capacity {
		return object.ErrCorrupt
	}
	r, err := l.segment.ring(0)
	if err != nil {
		return err
	}
	l.slots = newSlots(r, int(size))
	suffix := dataBell(l.member.number)
	if l.bell, err = l.segment.bell(suffix, &r.bells.data, &r.receive.waits); err != nil {
		return err
	}
	return l.peers.start(l.slots.release)
}

// Name returns the value's name with its prefix.
func (l *Latest) Name() string { return l.name }

// Size returns the value's size in bytes.
func (l *Latest) Size() int { return int(l.shape.option) }

// Close closes the handle; waits that use it end with os.ErrClosed. The last Close
// in any process removes the value. A second Close returns os.ErrClosed.
func (l *Latest) Close() error {
	if l.closed.Swap(true) {
		return l.check("close", os.ErrClosed)
	}
	l.turn.Lock()
	defer l.turn.Unlock()
	_ = l.view.Guard(func() error {
		l.slots.release(l.member.number) // of a Write that failed on the way
		return nil
	})
	return l.check("close", l.segment.close())
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
	version, a, err := l.read(buffer, noVersion, 1)
	if a != done && err == nil {
		err = ErrNoValue
	}
	return version, l.check("read", err)
}

// read returns the newest value if it is another than after within so many
// tries.
func (l *Latest) read(buffer []byte, after uint64, tries int) (version uint64, a attempt, err error) {
	if len(buffer) < l.Size() {
		return 0, a, object.Explain(fs.ErrInvalid, fmt.Sprintf(
			"the buffer has %d bytes, and the value %d", len(buffer), l.Size()))
	}
	err = l.view.Guard(func() (err error) {
		for range tries {
			version, a, err = l.slots.read(buffer, after)
			if a == done || err != nil {
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
	if err == nil && a != done {
		version, err = l.await(ctx, after, buffer)
	}
	return version, l.check("wait", err)
}

// await is Wait where there was nothing at first.
func (l *Latest) await(ctx context.Context, after uint64, buffer []byte) (version uint64, err error) {
	select {
	case l.waiting <- struct{}{}:
		defer func() { <-l.waiting }()
	case <-ctx.Done(): // the last try needs no turn
	}
	p := patience{bell: l.bell, spin: &l.spin}
	defer p.stop()
	for {
		version, a, err := l.read(buffer, after, l.spin.tries())
		if err == nil && a != done {
			if err = l.peers.wait(ctx, &p, a); err == nil {
				continue
			}
		}
		return version, err
	}
}

func (l *Latest) check(op string, err error) error {
	if err != nil {
		return failed(op, l.name, err)
	}
	return nil
}
