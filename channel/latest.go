package channel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/filemap-go/filemap/internal/step"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// Latest is a handle to a value of a fixed size with a name: the newest wins.
// Whoever reads it gets all of one value, never parts of two, and keeps no
// writer waiting. Any process that has it open may read and write.
//
// A writer that dies on the way leaves the value that was there before. All
// methods may be called from any goroutine.
type Latest struct {
	*segment
	words *words
	slots [slotCount]slot
	bell  *bell
	spin  spin
}

// slot holds one value, and which version it is: 0 while it is written.
type slot struct {
	version *uint64
	value   []byte
}

// slotCount is how many versions there is room for: a reader has to begin anew
// only if so many are written, but for one, while it copies.
const slotCount = 4

// writePatience is how many looks another writer, who lives, is given to copy
// its value: some seconds.
const writePatience = 10_000_000

// versionMost is where versions begin again at 1.
const versionMost = positionMask / 8

// LatestOptions are the options of [CreateLatest] and its siblings. The zero
// value stands for the defaults.
type LatestOptions struct {
	// Spin is how long [Latest.Wait] watches the memory before it sleeps:
	// [SpinAdaptive], [SpinNever], [SpinAlways], or a time.
	Spin time.Duration

	// Security says who else may open a new one; nil is for nobody, on Windows
	// for whom the system's default admits.
	Security *Security
}

var (
	// ErrNoValue: nothing has been written yet.
	ErrNoValue = errors.New("nothing has been written yet")
	// ErrTooFast: values were written so fast that none could be read.
	ErrTooFast = errors.New("values are written faster than they can be read")
)

// CreateLatest makes a value of size bytes, up to 1 GiB. The errors are those
// of [CreateQueue].
func CreateLatest(name string, size int, opts *LatestOptions) (*Latest, error) {
	l, _, err := newLatest("create", name, size, opts, create)
	return l, err
}

// OpenLatest opens a value that some process has open. The errors are those of
// [OpenQueue].
func OpenLatest(name string, opts *LatestOptions) (*Latest, error) {
	l, _, err := newLatest("open", name, 1, opts, open)
	return l, err
}

// OpenOrCreateLatest opens a value, or makes it if there is none, and reports
// which. One that exists keeps its size.
func OpenOrCreateLatest(name string, size int, opts *LatestOptions) (l *Latest, created bool, err error) {
	return newLatest("open", name, size, opts, openOrCreate)
}

// AwaitLatest opens a value as soon as there is one of the name. If ctx ends
// first, the error wraps context.Cause(ctx).
func AwaitLatest(ctx context.Context, name string, opts *LatestOptions) (*Latest, error) {
	for {
		l, err := OpenLatest(name, opts)
		if !errors.Is(err, fs.ErrNotExist) {
			return l, err
		}
		if _, err := waitable.Any(ctx, waitable.Name(name)); err != nil {
			return nil, failed("open", name, err)
		}
	}
}

// slotSize returns what a value takes: its version has a line of its own.
func slotSize(size int) int64 { return line + (int64(size)+line-1)/line*line }

func newLatest(op, name string, size int, opts *LatestOptions, way way) (l *Latest, created bool, err error) {
	if opts == nil {
		opts = &LatestOptions{}
	}
	const sizeMost = 1 << 30
	if size <= 0 || size >= sizeMost {
		err := object.Explain(fs.ErrInvalid, fmt.Sprintf("a size of %d: 1 byte to 1 GiB will do", size))
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
	l = &Latest{segment: seg}
	l.spin.option = opts.Spin
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
	l.words = r.words
	for i := range l.slots {
		at := uint64(i) * uint64(slotSize(int(size)))
		l.slots[i] = slot{version: r.header(at), value: r.data[at+line : at+line+size]}
	}
	if l.bell, err = l.segment.bell("~data", &l.words.bells.data, &l.words.receive.waits); err != nil {
		return err
	}
	return l.releaseDead(l.member.number)
}

// Name returns the value's name with its prefix.
func (l *Latest) Name() string { return l.name }

// Size returns the value's size in bytes.
func (l *Latest) Size() int { return int(l.shape.option) }

// Close gives the handle up; waits through it end with os.ErrClosed. With the
// last handle in any process the value is gone. A second Close returns
// os.ErrClosed.
func (l *Latest) Close() error {
	if l.closed.Swap(true) {
		return l.check("close", os.ErrClosed)
	}
	for range copyPatience {
		if !l.isWriting() {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return l.check("close", l.segment.close())
}

// isWriting reports whether this handle is in the middle of a Write.
func (l *Latest) isWriting() (writing bool) {
	_ = l.view.Guard(func() error {
		writing = loadEnd(&l.words.send.end).owner() == l.member.number
		return nil
	})
	return writing
}

// Write makes value, which must be Size bytes long, the newest. It waits for no
// reader, and for other writers only until they have copied theirs.
func (l *Latest) Write(value []byte) error {
	if len(value) != l.Size() {
		err := fmt.Errorf("%d bytes: %w", len(value), object.Explain(fs.ErrInvalid, "not the value's size"))
		return l.check("write", err)
	}
	for attempt := 1; ; attempt++ {
		owner, err := l.tryWrite(value)
		if err != errTaken {
			return l.check("write", err)
		}
		if attempt%looksAtOwner == 0 {
			if attempt >= writePatience {
				return l.check("write", object.ErrCorrupt)
			}
			if err := l.bury(owner); err != nil {
				return l.check("write", err)
			}
		}
		runtime.Gosched()
	}
}

func (l *Latest) tryWrite(value []byte) (owner uint16, err error) {
	err = l.view.Guard(func() error {
		e := loadEnd(&l.words.send.end)
		if owner = e.owner(); !e.take(&l.words.send.end, l.member.number) {
			return errTaken
		}
		if l.closed.Load() {
			leave(&l.words.send.end, e.position())
			return os.ErrClosed
		}
		version := e.position()/8%versionMost + 1
		l.slots[version%slotCount].write(version, value)
		l.words.send.messages++
		l.words.send.bytes += uint64(len(value))
		leave(&l.words.send.end, version*8)
		if l.bell.wanted() {
			l.bell.ring()
		}
		return nil
	})
	return owner, err
}

func (s slot) write(version uint64, value []byte) {
	step.Here()
	atomic.StoreUint64(s.version, 0)
	atomic.LoadUint64(s.version) // what follows is written after that
	copyBytes(s.value, value)
	step.Here()
	atomic.StoreUint64(s.version, version)
}

// Read copies the newest value to buffer, which must have room for Size bytes,
// and returns its version. Versions grow by 1 with each Write, from 1 on.
//
// Returns [ErrNoValue] if nothing has been written, and [ErrTooFast] if values
// were written too fast for a thousand attempts.
func (l *Latest) Read(buffer []byte) (version uint64, err error) {
	version, err = l.read(buffer)
	return version, l.check("read", err)
}

func (l *Latest) read(buffer []byte) (version uint64, err error) {
	if len(buffer) < l.Size() {
		return 0, object.Explain(fs.ErrInvalid, "the buffer is shorter than the value")
	}
	const attempts = 1000
	err = l.view.Guard(func() error {
		for range attempts {
			version = loadEnd(&l.words.send.end).position() / 8
			if version == 0 {
				return ErrNoValue
			}
			if l.slots[version%slotCount].read(version, buffer) {
				return nil
			}
		}
		return ErrTooFast
	})
	return version, err
}

// read copies a version, and reports whether it is that, and all of it.
func (s slot) read(version uint64, buffer []byte) bool {
	step.Here()
	if atomic.LoadUint64(s.version) != version {
		return false
	}
	copyBytes(buffer, s.value)
	var fence uint64
	atomic.StoreUint64(&fence, 1) // the copy was made before what follows
	step.Here()
	return atomic.LoadUint64(s.version) == version
}

// Wait is [Latest.Read] of a value with another version than after, for which
// it waits; 0 is the version before the first. If ctx ends first, the error
// wraps context.Cause(ctx).
func (l *Latest) Wait(ctx context.Context, after uint64, buffer []byte) (version uint64, err error) {
	p := patience{bell: l.bell, spin: &l.spin}
	for {
		version, err = l.read(buffer)
		if err == ErrNoValue && after == 0 || err == nil && version == after {
			_, err = p.wait(ctx, nil)
			if err == nil {
				continue
			}
		}
		p.end()
		if p.lying { // the bell woke one of those who wait
			_ = l.view.Guard(l.passOn)
		}
		return version, l.check("wait", err)
	}
}

func (l *Latest) passOn() error {
	if l.bell.wanted() {
		l.bell.ring()
	}
	return nil
}

// bury frees the value if the writer who has it is dead.
func (l *Latest) bury(number uint16) error {
	if number == 0 || number == l.member.number {
		return nil
	}
	mutex, hold, dead, err := l.lockPlace(number)
	if !dead {
		return err
	}
	return errors.Join(l.releaseDead(number), hold.Unlock(), mutex.Close())
}

// releaseDead frees what a place has whose owner is dead. The caller holds the
// place's mutex.
func (l *Latest) releaseDead(number uint16) error {
	return l.view.Guard(func() error {
		if e := loadEnd(&l.words.send.end); e.owner() == number {
			leave(&l.words.send.end, e.position())
		}
		l.words.bells.data.forget(number)
		return nil
	})
}

func (l *Latest) check(op string, err error) error {
	if err != nil {
		return failed(op, l.name, err)
	}
	return nil
}
