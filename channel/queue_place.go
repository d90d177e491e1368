package channel

import (
	"context"
	"io/fs"
	"os"

	"github.com/filemap-go/filemap/object"
)

// Draft is room for a message in the queue's own memory, to be written in
// place. Nobody else can send until it is committed or aborted, so that is to
// come soon.
type Draft struct {
	q        *Queue
	position uint64
	bytes    []byte
}

// Reserve finds room for a message of up to length bytes, as [Queue.Send]
// does, but for its waiting if others are full: a handle that drops gets
// [ErrFull] here.
//
// One message at a time can be reserved: who reserves another first waits for
// itself.
func (q *Queue) Reserve(ctx context.Context, length int) (Draft, error) {
	overflow := q.overflow
	if overflow == Drop {
		overflow = Fail
	}
	d, a, err := q.tryReserve(length)
	p := q.sending.patience()
	defer p.end()
	for err == nil && a.outcome != done {
		if _, err = q.retrySend(ctx, &p, a, overflow); err == nil {
			d, a, err = q.tryReserve(length)
		}
	}
	return d, q.check("reserve", err)
}

func (q *Queue) tryReserve(length int) (d Draft, a attempt, err error) {
	if length < 0 {
		return Draft{}, attempt{}, errNegative
	}
	err = q.view.Guard(func() (err error) {
		var position uint64
		position, a, err = q.reserve(length)
		if err == nil && a.outcome == done {
			q.sending.lent.Store(position + 1)
			d = Draft{q, position, q.bytes(position, uint64(length))}
		}
		return err
	})
	return d, a, err
}

var errNegative = object.Explain(fs.ErrInvalid, "a length below 0")

// Bytes returns the room. Nothing guards it: touching it after the queue is
// closed crashes the program, as with [filemap.View.Bytes]. What it holds at
// first is anything.
func (d Draft) Bytes() []byte { return d.bytes }

// Commit sends the first length bytes.
//
// Returns os.ErrClosed if the draft was committed or aborted before, or the
// queue closed.
func (d Draft) Commit(length int) error {
	if length < 0 || length > len(d.bytes) {
		return d.q.failed("commit", object.Explain(object.ErrRange, "more than was reserved"))
	}
	return d.end("commit", func() error {
		d.q.sent(d.q.put(d.position, uint64(length)))
		return nil
	})
}

// Abort gives the room back.
func (d Draft) Abort() error {
	return d.end("abort", func() error {
		leave(&d.q.send.end, d.position)
		d.q.wakeSenders()
		return nil
	})
}

func (d Draft) end(op string, f func() error) error {
	if d.q == nil {
		return failed(op, "", os.ErrClosed)
	}
	if !d.q.sending.lent.CompareAndSwap(d.position+1, 0) {
		return d.q.failed(op, os.ErrClosed)
	}
	return d.q.check(op, d.q.view.Guard(f))
}

// Lease is a message in the queue's own memory, to be read in place. Nobody
// else can receive until it is released or returned, so that is to come soon.
type Lease struct {
	q        *Queue
	position uint64
	bytes    []byte
}

// Next waits for a message, as [Queue.Receive] does, and leases it.
//
// One message at a time can be leased: who leases another first waits for
// itself.
func (q *Queue) Next(ctx context.Context) (Lease, error) {
	lease, a, err := q.tryNext(q.taking.spin.looks())
	if err == nil && a.outcome == done {
		return lease, nil
	}
	err = q.takeLater(ctx, a, err, func(looks int) (a attempt, err error) {
		lease, a, err = q.tryNext(looks)
		return a, err
	})
	return lease, err
}

func (q *Queue) tryNext(looks int) (l Lease, a attempt, err error) {
	err = q.view.Guard(func() (err error) {
		var position, n uint64
		position, n, a, err = q.peek(looks)
		if err == nil && a.outcome == done {
			q.taking.lent.Store(position + 1)
			l = Lease{q, position, q.bytes(position, n)}
		}
		return err
	})
	return l, a, err
}

// Bytes returns the message. Nothing guards it: touching it after the queue is
// closed crashes the program, as with [filemap.View.Bytes]; and a process that
// does not keep to the rules may change it.
func (l Lease) Bytes() []byte { return l.bytes }

// Release takes the message out of the queue.
//
// Returns os.ErrClosed if the lease was ended before, or the queue closed.
func (l Lease) Release() error {
	return l.end("release", func() error {
		l.q.received(l.q.got(l.position, uint64(len(l.bytes))))
		return nil
	})
}

// Return leaves the message for the next receiver.
func (l Lease) Return() error {
	return l.end("return", func() error {
		leave(&l.q.receive.end, l.position)
		l.q.wakeReceivers(l.position)
		return nil
	})
}

func (l Lease) end(op string, f func() error) error {
	if l.q == nil {
		return failed(op, "", os.ErrClosed)
	}
	if !l.q.taking.lent.CompareAndSwap(l.position+1, 0) {
		return l.q.failed(op, os.ErrClosed)
	}
	return l.q.check(op, l.q.view.Guard(f))
}
