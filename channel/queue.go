package channel

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"time"

	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/channel/internal/segment"
)

// Queue is a handle to a queue of messages with a name. Any process that has
// it open may send and receive. Each message goes to one receiver, and messages
// are received in the order in which they were sent.
//
// Messages are of any length from 0 to [Queue.Longest]. The size of the memory is
// fixed when the queue is created. The queue and its messages live as long as a
// process has it open.
//
// If a process dies while it sends a message, that message is lost, and no other.
// If a process dies while it receives a message, the next receiver gets that
// message. Other processes do not wait for a process that died.
//
// A message that is received is gone, whatever its receiver does with it: that is
// at most once. One that is taken with Take is in the queue until its taker is done
// with it: that is at least once, because a process may die between its work and
// Done.
//
// All methods may be called from any goroutine; Close may be called while other
// methods are in progress.
type Queue struct {
	segment  *segment.Segment
	ring     ring.Ring
	overflow Overflow
	sending  side
	taking   side
	grip
}

// side is what a handle has for one end of a ring.
type side struct {
	end  *uint64 // shared
	bell *segment.Bell
	spin segment.Spin
	// onLoan is the position, plus 1, of a record that the user works on in
	// place; 0 is none.
	onLoan atomic.Uint64
}

func (s *side) patience() segment.Patience { return segment.Patience{Bell: s.bell, Spin: &s.spin} }

// finish waits until the handle of a place no longer has the end: a goroutine that
// took it just before is in the middle of a copy. What the user has in place is
// taken back.
func (s *side) finish(number uint16, abort func(position uint64)) {
	for range copyPatience {
		e := ring.LoadEnd(s.end)
		if e.Owner() != number {
			return
		}
		if onLoan := s.onLoan.Load(); onLoan != 0 && s.onLoan.CompareAndSwap(onLoan, 0) {
			abort(e.Position())
			s.bell.Ring()
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// copyPatience is how many milliseconds Close lets a copy go on, before the view
// is closed under it. A handle that seems to own an end for longer may do so only
// by what another process wrote.
const copyPatience = 100

// QueueOptions are the options of [CreateQueue] and its siblings. The zero
// value has the defaults.
type QueueOptions struct {
	// Capacity is the size of a new queue's ring in bytes, up to 4 GiB. It is
	// rounded up to a power of two, and to at least 4,096. 0 means 1 MiB. A message
	// takes its length plus 8 bytes, rounded up to a multiple of 8; 256 bytes stay
	// free. An existing queue keeps its capacity: see [OpenOrCreateQueue].
	Capacity int64

	// Overflow says what this handle's sends do if there is no room: [Block],
	// [Fail] or [Drop].
	Overflow Overflow

	// Spin is how long this handle's waits spin before they sleep:
	// [SpinAdaptive], [SpinNever], [SpinAlways], or a time.
	Spin time.Duration

	// Type is that of the messages, from [TypeOf], or nil if they have none. An
	// existing queue that has another type, or none, is an object.ErrWrongKind. With a
	// nil Type any queue can be opened.
	Type *Type

	// Security says which other users may open a new queue. nil admits none; on
	// Windows it admits those that the system's default admits. An SDDL applies
	// to the mapping and to the creator's own objects only.
	Security *Security
}

// CreateQueue creates a queue.
//
// Returns fs.ErrExist if a queue or another mapping has the name,
// object.ErrWrongKind if an object of another kind has it, fs.ErrPermission if
// another user's object has it, object.ErrNoSpace if there is not enough memory,
// and fs.ErrInvalid if the name or an option is wrong.
func CreateQueue(name string, opts *QueueOptions) (*Queue, error) {
	q, _, err := newQueue("create", name, opts, segment.Create)
	return q, err
}

// OpenQueue opens a queue that a process has open.
//
// Returns fs.ErrNotExist if no object has the name, and object.ErrWrongKind if
// the object is not a queue.
func OpenQueue(name string, opts *QueueOptions) (*Queue, error) {
	q, _, err := newQueue("open", name, opts, segment.Open)
	return q, err
}

// OpenOrCreateQueue opens a queue, or creates it if there is none, and reports
// which it did.
//
// Returns fs.ErrExist if the queue exists with another Capacity than opts asks for,
// after rounding; 0 asks for none. The other errors are those of [CreateQueue].
func OpenOrCreateQueue(name string, opts *QueueOptions) (q *Queue, created bool, err error) {
	return newQueue("open", name, opts, segment.OpenOrCreate)
}

// AwaitQueue waits until a queue of the name exists and opens it. If ctx ends
// first, the error wraps context.Cause(ctx).
func AwaitQueue(ctx context.Context, name string, opts *QueueOptions) (*Queue, error) {
	return await(ctx, name, func() (*Queue, error) { return OpenQueue(name, opts) })
}

func newQueue(op, name string, opts *QueueOptions, way segment.Way) (q *Queue, created bool, err error) {
	if opts == nil {
		opts = &QueueOptions{}
	}
	capacity, err := segment.RoundCapacity(opts.Capacity)
	if err == nil && opts.Overflow > Drop {
		err = opts.Overflow.unfit(segment.Queue, "Block, Fail or Drop")
	}
	if err != nil {
		return nil, false, failed(op, name, err)
	}
	q, created, err = makeQueue(segment.Spec{
		Name: name, Kind: segment.Queue, Capacity: capacity, Hands: handsDefault, Security: opts.Security,
	}, *opts, way)
	if err != nil {
		return nil, false, failed(op, name, err)
	}
	return q, created, nil
}

// makeQueue creates or opens a queue, which may be that of a [Listener].
func makeQueue(s segment.Spec, opts QueueOptions, way segment.Way) (q *Queue, created bool, err error) {
	seg, created, err := openSegment(s, way, wanted{exact: opts.Capacity != 0, messages: opts.Type})
	if err != nil {
		return nil, false, err
	}
	q = &Queue{segment: seg, overflow: opts.Overflow}
	if err := q.start(opts.Spin); err != nil {
		return nil, false, errors.Join(err, seg.Close())
	}
	return q, created, nil
}

func (q *Queue) start(option time.Duration) (err error) {
	if q.ring, err = q.segment.Ring(); err != nil {
		return err
	}
	if q.taking.bell, err = q.segment.Bell("~data", &q.ring.Bells.Data, &q.ring.Receive.Waits); err != nil {
		return err
	}
	if q.sending.bell, err = q.segment.Bell("~room", &q.ring.Bells.Room, &q.ring.Send.Waits); err != nil {
		return err
	}
	q.held = make([]atomic.Uint64, q.segment.Shape.Hands)
	q.sending.end, q.taking.end = &q.ring.Send.End, &q.ring.Receive.End
	q.sending.spin.Option, q.taking.spin.Option = option, option
	if err = q.segment.Peers.Start(q.release); err != nil {
		return err
	}
	q.sending.bell.Ring() // a Flush may wait for another handle
	return nil
}

// Name returns the queue's name with its prefix.
func (q *Queue) Name() string { return q.segment.Name }

// Capacity returns the size of the queue's ring in bytes.
func (q *Queue) Capacity() int64 { return int64(q.ring.Size()) }

// Longest returns the length of the longest message that the queue can take.
func (q *Queue) Longest() int { return int(q.ring.Longest()) }

// Close closes the handle. Waits that use it end with os.ErrClosed. A reserved
// message is aborted; a leased message stays in the queue, and other receivers get
// the messages that the handle has in hand. The last Close in any
// process removes the queue with its messages. A second Close returns
// os.ErrClosed.
func (q *Queue) Close() error {
	if q.segment.Closed.Swap(true) {
		return q.failed("close", os.ErrClosed)
	}
	_ = q.segment.View.Guard(func() error {
		q.sending.finish(q.segment.Member.Number, q.ring.Abort)
		q.taking.finish(q.segment.Member.Number, func(position uint64) { ring.Leave(q.taking.end, position) })
		q.ring.GiveBackAll(q.segment.Member.Number)
		q.taking.bell.Notify()
		return nil
	})
	return q.check("close", q.segment.Close())
}

// release frees what a place has whose owner is dead: a message that it had in hand
// may be another receiver's.
func (q *Queue) release(number uint16) {
	q.ring.Release(number)
	q.taking.bell.Notify()
}

// failed returns the error of an operation on the queue.
func (q *Queue) failed(op string, err error) error { return failed(op, q.segment.Name, err) }

func (q *Queue) check(op string, err error) error {
	if err != nil {
		return q.failed(op, err)
	}
	return nil
}
