package channel

import (
	"context"
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
	message, a, err := q.tryReceive(buffer, q.taking.spin.looks())
	if err == nil && a.outcome == done {
		return message, nil
	}
	err = q.takeLater(ctx, a, err, func(looks int) (a attempt, err error) {
		message, a, err = q.tryReceive(buffer, looks)
		return a, err
	})
	return message, err
}

// takeLater tries again and again where the first attempt to take a message
// came to nothing.
func (q *Queue) takeLater(
	ctx context.Context, a attempt, err error, try func(looks int) (attempt, error),
) error {
	p := q.taking.patience()
	defer p.end()
	for err == nil && a.outcome != done {
		if err = q.wait(ctx, &p, a); err == nil {
			a, err = try(q.taking.spin.looks())
		}
	}
	return q.check("receive", err)
}

// TryReceive is [Queue.Receive] without waiting. It reports false if there is
// no message.
func (q *Queue) TryReceive(buffer []byte) (message []byte, ok bool, err error) {
	ok, err = q.once(func() (a attempt, err error) {
		message, a, err = q.tryReceive(buffer, 1)
		return a, err
	})
	return message, ok, q.check("receive", err)
}

// Drain waits for a message and then calls f with it and all that follow, in
// place, until there is none left, or f returns an error. It returns how many
// messages f took without one; those are gone from the queue.
//
// The bytes are only valid during f's call. Others can't receive until Drain
// returns, and f must not close the handle.
func (q *Queue) Drain(ctx context.Context, f func(message []byte) error) (n int, err error) {
	n, a, err := q.tryDrain(f, q.taking.spin.looks())
	if err == nil && a.outcome == done {
		return n, nil
	}
	err = q.takeLater(ctx, a, err, func(looks int) (a attempt, err error) {
		n, a, err = q.tryDrain(f, looks)
		return a, err
	})
	return n, err
}

func (q *Queue) tryDrain(f func([]byte) error, looks int) (n int, a attempt, err error) {
	err = q.view.Guard(func() (err error) {
		var position, length uint64
		position, length, a, err = q.peek(looks)
		if err != nil || a.outcome != done {
			return err
		}
		defer func() { q.received(position) }() // also if f panics
		for ok := true; ok && err == nil && !q.closed.Load(); n++ {
			if err := f(q.bytes(position, length)); err != nil {
				return err
			}
			position = q.got(position, length)
			q.move(position)
			position, length, ok, err = q.next(position)
		}
		return err
	})
	return n, a, err
}

// move moves the receiving end on, and keeps it.
func (q *Queue) move(next uint64) {
	step.Here()
	atomic.StoreUint64(&q.receive.end, uint64(newEnd(next, q.member.number)))
	q.wakeSenders()
}

// tryReceive takes the next message if there is one within so many looks.
func (q *Queue) tryReceive(buffer []byte, looks int) (message []byte, a attempt, err error) {
	err = q.view.Guard(func() (err error) {
		var position, n uint64
		position, n, a, err = q.peek(looks)
		if err == nil && a.outcome == done {
			message = appendBytes(buffer[:0], q.bytes(position, n))
			q.received(q.got(position, n))
		}
		return err
	})
	return message, a, err
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
	e := loadEnd(&q.receive.end)
	if !e.take(&q.receive.end, q.member.number) {
		return 0, 0, attempt{taken, e.owner()}, nil
	}
	position, n, ok, err := q.next(e.position())
	if q.closed.Load() { // Close waits for who took the end before
		ok, err = false, os.ErrClosed
	}
	if !ok {
		leave(&q.receive.end, position)
		a.outcome = empty
	}
	return position, n, a, err
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
