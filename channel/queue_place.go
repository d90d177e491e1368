package channel

import (
	"context"
	"errors"
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
	for p := q.sending.wait(&q.send.waits); ; {
		draft, a, err := q.tryReserve(length)
		if err == nil && a.outcome == done {
			p.done()
			return draft, nil
		}
		if again, err := q.retrySend(ctx, &p, a, overflow, err); !again {
			return Draft{}, q.failed("reserve", err)
		}
	}
}

func (q *Queue) tryReserve(length int) (d Draft, a attempt, err error) {
	if length < 0 {
		return Draft{}, attempt{}, errNegative
	}
	fault := q.view.Guard(func() {
		var position uint64
		position, a, err = q.reserve(length)
		if err == nil && a.outcome == done {
			q.sending.lent.Store(position + 1)
			d = Draft{q, position, q.bytes(position, uint64(length))}
		}
	})
	return d, a, errors.Join(err, fault)
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
	return d.end("commit", func() { d.q.sent(d.q.put(d.position, uint64(length))) })
}

// Abort gives the room back.
func (d Draft) Abort() error {
	return d.end("abort", func() {
		leave(&d.q.send.end, d.position)
		d.q.wakeSenders()
	})
}

func (d Draft) end(op string, f func()) error {
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
	for p := q.taking.wait(&q.receive.waits); ; {
		lease, a, err := q.tryNext(q.taking.spin.looks())
		if err == nil && a.outcome == done {
			p.done()
			return lease, nil
		}
		if err == nil {
			err = q.wait(ctx, &p, a)
		}
		if err != nil {
			return Lease{}, q.failed("receive", err)
		}
	}
}

func (q *Queue) tryNext(looks int) (l Lease, a attempt, err error) {
	fault := q.view.Guard(func() {
		var position, n uint64
		position, n, a, err = q.peek(looks)
		if err == nil && a.outcome == done {
			q.taking.lent.Store(position + 1)
			l = Lease{q, position, q.bytes(position, n)}
		}
	})
	return l, a, errors.Join(err, fault)
}

// Bytes returns the message. Nothing guards it: touching it after the queue is
// closed crashes the program, as with [filemap.View.Bytes]; and a process that
// does not keep to the rules may change it.
func (l Lease) Bytes() []byte { return l.bytes }

// Release takes the message out of the queue.
//
// Returns os.ErrClosed if the lease was ended before, or the queue closed.
func (l Lease) Release() error {
	return l.end("release", func() { l.q.received(l.q.got(l.position, uint64(len(l.bytes)))) })
}

// Return leaves the message for the next receiver.
func (l Lease) Return() error {
	return l.end("return", func() {
		leave(&l.q.receive.end, l.position)
		l.q.wakeReceivers(l.position)
	})
}

func (l Lease) end(op string, f func()) error {
	if l.q == nil {
		return failed(op, "", os.ErrClosed)
	}
	if !l.q.taking.lent.CompareAndSwap(l.position+1, 0) {
		return l.q.failed(op, os.ErrClosed)
	}
	return l.q.check(op, l.q.view.Guard(f))
}
