package channel

import (
	"context"
	"errors"
	"os"
	"sync/atomic"

	"github.com/filemap-go/filemap/internal/step"
)

// Receive takes the next message and returns it in buffer, or in a longer one
// if buffer is too short. If there is none it waits. If ctx is done it does not
// wait; the error then wraps context.Cause(ctx).
//
// Returns object.ErrCorrupt if another process has written nonsense to the
// queue.
func (q *Queue) Receive(ctx context.Context, buffer []byte) ([]byte, error) {
	for p := q.taking.wait(&q.receive.waits); ; {
		message, a, err := q.tryReceive(buffer, q.taking.spin.looks())
		if err == nil && a.outcome == done {
			p.done()
			return message, nil
		}
		if err == nil {
			err = q.wait(ctx, &p, a)
		}
		if err != nil {
			return nil, q.failed("receive", err)
		}
	}
}

// TryReceive is [Queue.Receive] without waiting. It reports false if there is
// no message.
func (q *Queue) TryReceive(buffer []byte) (message []byte, ok bool, err error) {
	for p := q.taking.wait(&q.receive.waits); ; {
		message, a, err := q.tryReceive(buffer, 1)
		if err != nil || a.outcome != taken {
			return message, err == nil && a.outcome == done, q.check("receive", err)
		}
		if err := q.wait(context.Background(), &p, a); err != nil {
			return nil, false, q.failed("receive", err)
		}
	}
}

// Drain waits for a message and then calls f with it and all that follow, in
// place, until there is none left, or f returns an error. It returns how many
// messages f took without one; those are gone from the queue.
//
// The bytes are only valid during f's call. Others can't receive until Drain
// returns, and f must not close the handle.
func (q *Queue) Drain(ctx context.Context, f func(message []byte) error) (n int, err error) {
	for p := q.taking.wait(&q.receive.waits); ; {
		n, a, err := q.tryDrain(f, q.taking.spin.looks())
		if n > 0 || err != nil {
			p.done()
			return n, q.check("receive", err)
		}
		if err := q.wait(ctx, &p, a); err != nil {
			return 0, q.failed("receive", err)
		}
	}
}

func (q *Queue) tryDrain(f func([]byte) error, looks int) (n int, a attempt, err error) {
	fault := q.view.Guard(func() {
		var position, length uint64
		position, length, a, err = q.peek(looks)
		if err != nil || a.outcome != done {
			return
		}
		defer func() { q.received(position) }() // also if f panics
		for ok := true; ok && err == nil; n++ {
			if err = f(q.bytes(position, length)); err != nil {
				return
			}
			position = q.got(position, length)
			q.move(position)
			if q.closed.Load() {
				return
			}
			position, length, ok, err = q.next(position)
		}
	})
	return n, a, errors.Join(err, fault)
}

// move moves the receiving end on, and keeps it.
func (q *Queue) move(next uint64) {
	step.Here()
	atomic.StoreUint64(&q.receive.end, uint64(newEnd(next, q.member.number)))
	q.wakeSenders()
}

// tryReceive takes the next message if there is one within so many looks.
func (q *Queue) tryReceive(buffer []byte, looks int) (message []byte, a attempt, err error) {
	fault := q.view.Guard(func() {
		var position, n uint64
		position, n, a, err = q.peek(looks)
		if err != nil || a.outcome != done {
			return
		}
		message = appendBytes(buffer[:0], q.bytes(position, n))
		q.received(q.got(position, n))
	})
	return message, a, errors.Join(err, fault)
}

// peek takes the receiving end if there is a message, and returns where.
func (q *Queue) peek(looks int) (position, n uint64, a attempt, err error) {
	for e := loadEnd(&q.receive.end); q.idle(e); e = loadEnd(&q.receive.end) {
		if looks--; looks <= 0 {
			if q.closed.Load() {
				err = os.ErrClosed
			}
			return 0, 0, attempt{outcome: empty}, err
		}
	}
	e, a, err := q.take(&q.receive.end)
	if err != nil || a.outcome != done {
		return 0, 0, a, err
	}
	position, n, ok, err := q.next(e.position())
	if !ok || err != nil {
		leave(&q.receive.end, position)
		return 0, 0, attempt{outcome: empty}, err
	}
	return position, n, a, nil
}

// take takes an end, unless somebody else has it or the handle is closed.
func (q *Queue) take(word *uint64) (end, attempt, error) {
	e := loadEnd(word)
	if !e.take(word, q.member.number) {
		return e, attempt{outcome: taken, owner: e.owner()}, nil
	}
	if q.closed.Load() { // Close waits for who took it before
		leave(word, e.position())
		return e, attempt{}, os.ErrClosed
	}
	return e, attempt{}, nil
}

// received moves the receiving end on, wakes who waits for room, and, if there
// is more, who waits for messages.
func (q *Queue) received(next uint64) {
	leave(&q.receive.end, next)
	q.wakeSenders()
	q.wakeReceivers(next)
}

func (q *Queue) wakeReceivers(position uint64) {
	if q.taking.bell.wanted() && q.load(position) != 0 {
		q.taking.bell.ring()
	}
}
