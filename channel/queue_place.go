package channel

import (
	"context"
	"os"

	"github.com/filemap-go/filemap/channel/internal/ring"
)

// Draft is room for a message in the queue's own memory, for writing the message
// in place. No other sender can send until it is committed or aborted, so do that
// soon.
type Draft struct {
	q        *Queue
	position uint64
	bytes    []byte
}

// Reserve reserves room for a message of up to length bytes. It waits for room as
// [Queue.Send] does, except that it returns [ErrFull] if the handle's [Overflow]
// is Drop.
//
// Reserving a second message before ending the first deadlocks.
func (q *Queue) Reserve(ctx context.Context, length int) (Draft, error) {
	overflow := q.overflow
	if overflow == Drop {
		overflow = Fail
	}
	d, a, err := q.tryReserve(length)
	if a == ring.Done {
		return d, nil
	}
	p := q.sending.patience()
	defer p.Stop()
	for err == nil && a != ring.Done {
		if err = q.retrySend(ctx, &p, overflow, a); err == nil {
			d, a, err = q.tryReserve(length)
		}
	}
	return d, q.check("reserve", err)
}

func (q *Queue) tryReserve(length int) (d Draft, a ring.Attempt, err error) {
	if length < 0 {
		return Draft{}, a, negative(length)
	}
	err = q.segment.View.Guard(func() (err error) {
		var position uint64
		if position, a, err = q.reserve(uint64(length)); a == ring.Done {
			q.sending.onLoan.Store(position + 1)
			d = Draft{q, position, q.ring.Bytes(position, uint64(length))}
		}
		return err
	})
	return d, a, err
}

// Bytes returns the reserved bytes. Accesses to them are not checked: an access
// after the queue is closed crashes the program, as with [filemap.View.Bytes].
// Their initial values are undefined.
func (d Draft) Bytes() []byte { return d.bytes }

// Commit sends the first length bytes.
//
// Returns object.ErrRange if length is more than was reserved, and os.ErrClosed if
// the draft was committed or aborted before, or the queue was closed.
func (d Draft) Commit(length int) error {
	if length < 0 || length > len(d.bytes) {
		return d.q.failed("commit", beyondDraft(length, len(d.bytes)))
	}
	return d.finish("commit", func() error {
		ring.ClearUnused(d.bytes, length)
		d.q.sent(d.q.ring.Put(d.position, uint64(length)))
		return nil
	})
}

// Abort gives the room back.
func (d Draft) Abort() error {
	return d.finish("abort", func() error {
		d.q.ring.Abort(d.position)
		d.q.sending.bell.Notify()
		return nil
	})
}

func (d Draft) finish(op string, f func() error) error {
	if d.q == nil {
		return failed(op, "", os.ErrClosed)
	}
	if !d.q.sending.onLoan.CompareAndSwap(d.position+1, 0) {
		return d.q.failed(op, os.ErrClosed)
	}
	return d.q.check(op, d.q.segment.View.Guard(f))
}

// Lease is a message in the queue's own memory, for reading it in place. No other
// receiver can receive until it is released or returned, so do that soon.
//
// A message that another handle took and gave back is leased without that.
type Lease struct {
	q      *Queue
	inHand ring.InHand
	serial uint64
}

// Next waits for a message, as [Queue.Receive] does, and leases it.
//
// Leasing a second message before ending the first lease deadlocks.
func (q *Queue) Next(ctx context.Context) (Lease, error) {
	lease, a, err := q.tryNext(q.taking.spin.Tries())
	if a == ring.Done {
		return lease, nil
	}
	err = q.takeLater(ctx, a, err, func(tries int) (a ring.Attempt, err error) {
		lease, a, err = q.tryNext(tries)
		return a, err
	})
	return lease, err
}

func (q *Queue) tryNext(tries int) (l Lease, a ring.Attempt, err error) {
	err = q.segment.View.Guard(func() (err error) {
		var m ring.InHand
		switch m, a, err = q.find(tries); {
		case a != ring.Done:
		case m.Entry == atEnd:
			q.taking.onLoan.Store(m.Position + 1)
			l = Lease{q: q, inHand: m}
		default:
			l = Lease(q.keep(m))
		}
		return err
	})
	return l, a, err
}

// Bytes returns the message. Accesses to it are not checked: an access after the
// queue is closed crashes the program, as with [filemap.View.Bytes]. Another
// process that breaks the protocol may change the bytes.
func (l Lease) Bytes() []byte { return Taken(l).Bytes() }

// Release removes the message from the queue.
//
// Returns os.ErrClosed if the lease was ended before, or the queue was closed.
func (l Lease) Release() error {
	return l.finish("release", func(m ring.InHand) { l.q.remove(m) })
}

// Return leaves the message for the next receiver.
func (l Lease) Return() error {
	return l.finish("return", func(m ring.InHand) { l.q.putBack(m) })
}

func (l Lease) finish(op string, f func(ring.InHand)) error {
	if l.q == nil || l.inHand.Entry != atEnd {
		return Taken(l).finish(op, f)
	}
	if !l.q.taking.onLoan.CompareAndSwap(l.inHand.Position+1, 0) {
		return l.q.failed(op, os.ErrClosed)
	}
	return l.q.check(op, l.q.segment.View.Guard(func() error {
		f(l.inHand)
		return nil
	}))
}
