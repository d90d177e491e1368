package channel

import (
	"context"
	"sync/atomic"

	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/channel/internal/segment"
)

// Send puts a copy of the message into the queue. If there is no room it does
// what the handle's [Overflow] says: by default it waits. If ctx has ended and
// there is no room, the error wraps context.Cause(ctx).
//
// Returns [ErrTooLong] if the message is longer than [Queue.Longest].
func (q *Queue) Send(ctx context.Context, message []byte) error {
	a, err := q.trySend(message)
	if a == ring.Done {
		return nil
	}
	return q.sendLater(ctx, message, a, err)
}

// sendLater goes on after a first attempt that was not done.
func (q *Queue) sendLater(ctx context.Context, message []byte, a ring.Attempt, err error) error {
	p := q.sending.patience()
	defer p.Stop()
	for err == nil && a != ring.Done {
		if a.Result() == ring.Full && q.overflow == Drop {
			return q.check("send", q.drop())
		}
		if err = q.retrySend(ctx, &p, q.overflow, a); err == nil {
			a, err = q.trySend(message)
		}
	}
	return q.check("send", err)
}

// drop counts a message as lost.
func (q *Queue) drop() error {
	return q.segment.View.Guard(func() error {
		atomic.AddUint64(&q.ring.Send.Lost, 1)
		q.sending.bell.Notify()
		return nil
	})
}

// retrySend waits after an attempt to send that was not done.
func (q *Queue) retrySend(ctx context.Context, p *segment.Patience, overflow Overflow, a ring.Attempt) error {
	if a.Result() == ring.Full && overflow == Fail {
		return q.full()
	}
	return q.segment.Peers.Wait(ctx, p, a)
}

// TrySend puts a copy of the message into the queue if there is room now.
// Otherwise it returns [ErrFull].
func (q *Queue) TrySend(message []byte) error {
	a, err := q.segment.Peers.Once(func() (ring.Attempt, error) { return q.trySend(message) })
	if err == nil && a != ring.Done {
		err = q.full()
	}
	return q.check("send", err)
}

// full returns why there is no waiting. Whoever waits may have found the end
// taken while this handle found that there is no room.
func (q *Queue) full() error {
	_ = q.segment.View.Guard(func() error {
		q.sending.bell.Notify()
		return nil
	})
	return ErrFull
}

// SendBatch sends messages one after the other. It is faster than a Send for each,
// because messages that there is room for become visible together. It returns
// how many it sent; if they are fewer than all, the error says why.
func (q *Queue) SendBatch(ctx context.Context, batch [][]byte) (sent int, err error) {
	for sent < len(batch) {
		n, a, err := q.trySendBatch(batch[sent:])
		if a != ring.Done {
			n, err = 1, q.sendLater(ctx, batch[sent], a, err)
		}
		if err != nil {
			return sent, err
		}
		sent += n
	}
	return sent, nil
}

func (q *Queue) trySendBatch(batch [][]byte) (n int, a ring.Attempt, err error) {
	err = q.segment.View.Guard(func() error {
		position, tried, err := q.reserve(uint64(len(batch[0])))
		if tried == ring.Done {
			var next uint64
			n, next = q.ring.PutBatch(position, batch)
			q.sent(next)
		}
		a = tried
		return err
	})
	return n, a, err
}

// trySend sends the message if there is room. It is small enough to be inlined.
func (q *Queue) trySend(message []byte) (a ring.Attempt, err error) {
	err = q.segment.View.Guard(func() error {
		n := uint64(len(message))
		position, tried, err := q.reserve(n)
		if tried == ring.Done {
			ring.Copy(q.ring.Bytes(position, n), message)
			q.sent(q.ring.Put(position, n))
		}
		a = tried
		return err
	})
	return
}

// reserve takes the sending end, with room for a message at the position.
func (q *Queue) reserve(n uint64) (position uint64, a ring.Attempt, err error) {
	if n > q.ring.Longest() {
		return 0, a, tooLong(n, q.ring.Longest())
	}
	e := ring.LoadEnd(&q.ring.Send.End)
	if !e.Take(&q.ring.Send.End, q.segment.Member.Number) {
		return 0, ring.Taken.By(e.Owner()), nil
	}
	position = e.Position()
	if !q.ring.HasRoomFor(position, n) || q.segment.Closed.Load() {
		return q.findRoom(position, n)
	}
	return position, ring.Done, nil
}

// findRoom is reserve when the end is taken and there may be no room.
func (q *Queue) findRoom(position, n uint64) (at uint64, a ring.Attempt, err error) {
	if err = q.isClosed(); err == nil { // Close waits for a call that took the end before
		position, a = q.ring.Reserve(position, n, q.segment.Member.Number)
		if a == ring.Done {
			return position, ring.Done, nil
		}
	}
	ring.Leave(&q.ring.Send.End, position)
	return 0, a, err
}

// sent moves the sending end on, and wakes what waits for a message, or for the
// end.
func (q *Queue) sent(next uint64) {
	ring.Leave(&q.ring.Send.End, next)
	q.taking.bell.Notify()
	q.sending.bell.Notify()
}
