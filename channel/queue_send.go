package channel

import (
	"context"
	"errors"
	"sync/atomic"
)

// Send puts a copy of the message into the queue. If there is no room it does
// what the handle's [Overflow] says, by default wait. If ctx is done it does
// not wait; the error then wraps context.Cause(ctx).
//
// Returns [ErrTooLong] if the message is longer than [Queue.Longest].
func (q *Queue) Send(ctx context.Context, message []byte) error {
	for p := q.sending.wait(&q.send.waits); ; {
		a, err := q.trySend(message)
		if err == nil && a.outcome == done {
			p.done()
			return nil
		}
		if again, err := q.retrySend(ctx, &p, a, q.overflow, err); !again {
			return q.check("send", err)
		}
	}
}

// TrySend puts a copy of the message into the queue if there is room now, else
// it returns [ErrFull].
func (q *Queue) TrySend(message []byte) error {
	for p := q.sending.wait(&q.send.waits); ; {
		a, err := q.trySend(message)
		if err == nil && a.outcome == done {
			return nil
		}
		if again, err := q.retrySend(context.Background(), &p, a, Fail, err); !again {
			return q.check("send", err)
		}
	}
}

// SendBatch sends messages one after the other, which is faster than a Send for
// each: where there is room, they become visible together. It returns how many
// were sent, which are fewer than all only with an error.
func (q *Queue) SendBatch(ctx context.Context, batch [][]byte) (sent int, err error) {
	for p := q.sending.wait(&q.send.waits); sent < len(batch); {
		n, a, err := q.trySendBatch(batch[sent:])
		if err == nil && a.outcome == done {
			p.done()
			sent += n
			p = q.sending.wait(&q.send.waits)
			continue
		}
		again, err := q.retrySend(ctx, &p, a, q.overflow, err)
		switch {
		case again:
		case err != nil:
			return sent, q.failed("send", err)
		default:
			sent++ // and dropped
		}
	}
	return sent, nil
}

func (s *side) wait(waits *uint64) patience {
	return patience{bell: s.bell, spin: &s.spin, waits: waits}
}

// retrySend waits after an attempt to send that came to nothing, or reports
// that that is all, and why.
func (q *Queue) retrySend(
	ctx context.Context, p *patience, a attempt, overflow Overflow, err error,
) (again bool, _ error) {
	switch {
	case err != nil:
		return false, err
	case a.outcome == full && overflow == Fail:
		return false, ErrFull
	case a.outcome == full && overflow == Drop:
		return false, q.view.Guard(func() { atomic.AddUint64(&q.send.lost, 1) })
	}
	if err := q.wait(ctx, p, a); err != nil {
		return false, err
	}
	return true, nil
}

// trySend sends the message if there is room.
func (q *Queue) trySend(message []byte) (a attempt, err error) {
	fault := q.view.Guard(func() {
		var position uint64
		position, a, err = q.reserve(len(message))
		if err != nil || a.outcome != done {
			return
		}
		copyBytes(q.bytes(position, uint64(len(message))), message)
		q.sent(q.put(position, uint64(len(message))))
	})
	return a, errors.Join(err, fault)
}

func (q *Queue) trySendBatch(batch [][]byte) (n int, a attempt, err error) {
	fault := q.view.Guard(func() {
		var position uint64
		position, a, err = q.reserve(len(batch[0]))
		if err != nil || a.outcome != done {
			return
		}
		var next uint64
		n, next = q.putBatch(position, batch)
		q.sent(next)
	})
	return n, a, errors.Join(err, fault)
}

// reserve takes the sending end, with room for a message at the position.
func (q *Queue) reserve(length int) (position uint64, a attempt, err error) {
	if uint64(length) > q.longest() {
		return 0, attempt{}, ErrTooLong
	}
	e, a, err := q.take(&q.send.end)
	if err != nil || a.outcome != done {
		return 0, a, err
	}
	position, ok := q.ring.reserve(e.position(), recordSize(uint64(length)), q.member.number)
	if !ok {
		leave(&q.send.end, position)
		return 0, attempt{outcome: full}, nil
	}
	return position, a, nil
}

// sent moves the sending end on, and wakes who waits for a message, or for the
// end.
func (q *Queue) sent(next uint64) {
	leave(&q.send.end, next)
	if q.taking.bell.wanted() {
		q.taking.bell.ring()
	}
	q.wakeSenders()
}

func (q *Queue) wakeSenders() {
	if q.sending.bell.wanted() {
		q.sending.bell.ring()
	}
}
