package channel

import (
	"context"
	"os"
	"sync/atomic"
)

// Send puts a copy of the message into the queue. If there is no room it does
// what the handle's [Overflow] says, by default wait. If ctx is done it does
// not wait; the error then wraps context.Cause(ctx).
//
// Returns [ErrTooLong] if the message is longer than [Queue.Longest].
func (q *Queue) Send(ctx context.Context, message []byte) error {
	a, err := q.trySend(message)
	if err == nil && a.outcome == done {
		return nil
	}
	return q.sendLater(ctx, message, a, err)
}

// sendLater goes on where the first attempt came to nothing.
func (q *Queue) sendLater(ctx context.Context, message []byte, a attempt, err error) error {
	p := q.sending.patience()
	defer p.end()
	for err == nil && a.outcome != done {
		if again, err := q.retrySend(ctx, &p, a, q.overflow); !again {
			return q.check("send", err)
		}
		a, err = q.trySend(message)
	}
	return q.check("send", err)
}

// TrySend puts a copy of the message into the queue if there is room now, else
// it returns [ErrFull].
func (q *Queue) TrySend(message []byte) error {
	ok, err := q.once(func() (attempt, error) { return q.trySend(message) })
	if err == nil && !ok {
		err = ErrFull
	}
	return q.check("send", err)
}

// SendBatch sends messages one after the other, which is faster than a Send for
// each: where there is room, they become visible together. It returns how many
// were sent, which are fewer than all only with an error.
func (q *Queue) SendBatch(ctx context.Context, batch [][]byte) (sent int, err error) {
	for sent < len(batch) {
		n, a, err := q.trySendBatch(batch[sent:])
		if err != nil {
			return sent, q.failed("send", err)
		}
		if sent += n; a.outcome == done {
			continue
		}
		if err := q.sendLater(ctx, batch[sent], a, nil); err != nil {
			return sent, err
		}
		sent++
	}
	return sent, nil
}

func (s *side) patience() patience {
	return patience{bell: s.bell, spin: &s.spin}
}

// retrySend waits after an attempt to send that came to nothing, or reports
// that that is all, and why.
func (q *Queue) retrySend(
	ctx context.Context, p *patience, a attempt, overflow Overflow,
) (again bool, err error) {
	switch {
	case a.outcome == full && overflow == Fail:
		return false, ErrFull
	case a.outcome == full && overflow == Drop:
		return false, q.view.Guard(func() error {
			atomic.AddUint64(&q.send.lost, 1)
			return nil
		})
	}
	if err := q.wait(ctx, p, a); err != nil {
		return false, err
	}
	return true, nil
}

// trySend sends the message if there is room.
func (q *Queue) trySend(message []byte) (a attempt, err error) {
	err = q.view.Guard(func() (err error) {
		var position uint64
		position, a, err = q.reserve(len(message))
		if err == nil && a.outcome == done {
			copyBytes(q.bytes(position, uint64(len(message))), message)
			q.sent(q.put(position, uint64(len(message))))
		}
		return err
	})
	return a, err
}

func (q *Queue) trySendBatch(batch [][]byte) (n int, a attempt, err error) {
	err = q.view.Guard(func() (err error) {
		var position uint64
		position, a, err = q.reserve(len(batch[0]))
		if err == nil && a.outcome == done {
			var next uint64
			n, next = q.putBatch(position, batch)
			q.sent(next)
		}
		return err
	})
	return n, a, err
}

// reserve takes the sending end, with room for a message at the position.
func (q *Queue) reserve(length int) (position uint64, a attempt, err error) {
	e := loadEnd(&q.send.end)
	if !e.take(&q.send.end, q.member.number) {
		return 0, attempt{taken, e.owner()}, nil
	}
	position = e.position()
	if size := recordSize(uint64(length)); q.closed.Load() || !q.hasRoomHere(position, size) {
		return q.findRoom(position, length)
	}
	return position, attempt{}, nil
}

// findRoom is reserve when the end is taken and there may be no room.
func (q *Queue) findRoom(position uint64, length int) (at uint64, a attempt, err error) {
	ok := false
	switch {
	case q.closed.Load(): // Close waits for who took the end before
		err = os.ErrClosed
	case uint64(length) > q.longest():
		err = ErrTooLong
	default:
		position, ok = q.ring.reserve(position, recordSize(uint64(length)), q.member.number)
	}
	if !ok {
		leave(&q.send.end, position)
		a.outcome = full
	}
	return position, a, err
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
