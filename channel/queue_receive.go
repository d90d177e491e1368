package channel

import (
	"context"
	"os"

	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/internal/race"
)

// Receive waits for the next message, removes it from the queue, and returns it in
// buffer, or in a longer buffer if that is too short. If ctx has ended, Receive
// takes a message that is there; if there is none, the error wraps
// context.Cause(ctx).
//
// Returns object.ErrCorrupt if another process has corrupted the queue's memory.
func (q *Queue) Receive(ctx context.Context, buffer []byte) ([]byte, error) {
	message, a, err := q.tryReceive(buffer, q.taking.spin.Tries())
	if a == ring.Done {
		return message, nil
	}
	err = q.takeLater(ctx, a, err, func(tries int) (a ring.Attempt, err error) {
		message, a, err = q.tryReceive(buffer, tries)
		return a, err
	})
	return message, err
}

// takeLater tries again and again after a first attempt to take a message that
// was not done.
func (q *Queue) takeLater(
	ctx context.Context, a ring.Attempt, err error, try func(tries int) (ring.Attempt, error),
) error {
	p := q.taking.patience()
	p.Others = q.takers // what they have in hand comes to this handle if they die
	defer p.Stop()
	for err == nil && a != ring.Done {
		if err = q.segment.Peers.Wait(ctx, &p, a); err == nil {
			a, err = try(q.taking.spin.Tries())
		}
	}
	return q.check("receive", err)
}

// TryReceive is [Queue.Receive] without waiting. It reports false if there is
// no message.
func (q *Queue) TryReceive(buffer []byte) (message []byte, ok bool, err error) {
	a, err := q.segment.Peers.Once(func() (a ring.Attempt, err error) {
		message, a, err = q.tryReceive(buffer, 1)
		return a, err
	})
	return message, a == ring.Done, q.check("receive", err)
}

// Drain waits for a message and then calls f with it and with all further messages,
// in place, until the queue is empty or f returns an error. It removes the
// messages for which f returned nil, and returns their number.
//
// The bytes are valid only during the call of f. No other receiver can receive
// until Drain returns. f must not close the handle.
func (q *Queue) Drain(ctx context.Context, f func(message []byte) error) (n int, err error) {
	n, a, err := q.tryDrain(f, q.taking.spin.Tries())
	if a == ring.Done {
		return n, nil
	}
	err = q.takeLater(ctx, a, err, func(tries int) (a ring.Attempt, err error) {
		n, a, err = q.tryDrain(f, tries)
		return a, err
	})
	return n, err
}

func (q *Queue) tryDrain(f func([]byte) error, tries int) (n int, a ring.Attempt, err error) {
	err = q.segment.View.Guard(func() error {
		position, length, tried, err := q.peek(tries)
		if tried == ring.Empty && err == nil && q.mayReturn() {
			n, position, length, tried, err = q.drainReturned(f)
		}
		if tried != ring.Done {
			if a = tried; n > 0 && err == nil {
				a = ring.Done
			}
			return err
		}
		defer func() { q.received(position) }() // also if f panics
		for more := ring.Done; more == ring.Done && !q.segment.Closed.Load(); n++ {
			if err := f(q.ring.Bytes(position, length)); err != nil {
				return err
			}
			position = q.ring.Got(position, length)
			q.move(position)
			position, length, more, err = q.ring.Next(position)
		}
		if err == nil {
			a = ring.Done
		}
		return err
	})
	return n, a, err
}

// drainReturned calls f with the messages that were given back, and returns their
// number, and then the message at the receiving end as peek does.
func (q *Queue) drainReturned(f func([]byte) error) (n int, position, length uint64, a ring.Attempt, err error) {
	for !q.segment.Closed.Load() {
		m, a, err := q.find(1)
		if a != ring.Done || m.Entry == atEnd {
			return n, m.Position, m.Length, a, err
		}
		if err := q.drainOne(m, f); err != nil {
			return n, 0, 0, ring.Empty, err
		}
		n++
	}
	return n, 0, 0, ring.Empty, nil
}

func (q *Queue) drainOne(m ring.InHand, f func([]byte) error) error {
	ended := false
	defer func() { // also if f panics
		if !ended {
			q.putBack(m)
		}
	}()
	if err := f(q.ring.Bytes(m.Position, m.Length)); err != nil {
		return err
	}
	ended = true
	q.remove(m)
	return nil
}

// move moves the receiving end on, and keeps it.
func (q *Queue) move(next uint64) {
	ring.MoveEnd(&q.ring.Receive.End, next, q.segment.Member.Number)
	q.sending.bell.Notify()
}

// tryReceive takes the next message if there is one within so many tries.
func (q *Queue) tryReceive(buffer []byte, tries int) (message []byte, a ring.Attempt, err error) {
	err = q.segment.View.Guard(func() error {
		position, n, tried, err := q.peek(tries)
		if tried == ring.Done {
			message = ring.Append(buffer[:0], q.ring.Bytes(position, n))
			q.received(q.ring.Got(position, n))
		} else if tried == ring.Empty && err == nil && q.mayReturn() {
			message, tried, err = q.receiveReturned(buffer)
		}
		a = tried
		return err
	})
	return message, a, err
}

// receiveReturned receives a message that was given back, or the next one after
// all.
func (q *Queue) receiveReturned(buffer []byte) (message []byte, a ring.Attempt, err error) {
	m, a, err := q.find(1)
	if a == ring.Done {
		message = ring.Append(buffer[:0], q.ring.Bytes(m.Position, m.Length))
		q.remove(m)
	}
	return message, a, err
}

// peek takes the receiving end if there is a message, and returns where. It finds
// none if one may have been given back, which comes first: then call find.
func (q *Queue) peek(tries int) (position, n uint64, a ring.Attempt, err error) {
	if q.hinted() {
		return 0, 0, ring.Empty, nil
	}
	e := ring.LoadEnd(&q.ring.Receive.End)
	h := q.glance(e)
	for ; h == 0; h = q.glance(e) {
		if tries--; tries <= 0 {
			return 0, 0, ring.Empty, q.isClosed()
		}
		e = ring.LoadEnd(&q.ring.Receive.End)
	}
	if !e.Take(&q.ring.Receive.End, q.segment.Member.Number) {
		return 0, 0, ring.Taken.By(e.Owner()), nil
	}
	position = e.Position()
	if race.Enabled {
		h = q.ring.Load(position)
	}
	if h.IsMessage(position, q.ring.Rest(position)) && !q.segment.Closed.Load() {
		return position, h.Length(), ring.Done, nil
	}
	return q.findMessage(position)
}

// glance returns the header at an end, whoever has it. Who then takes the end
// may use it: it would have failed if anybody else had been there. But the race
// detector does not know that, so it gets to see a look at what is owned.
func (q *Queue) glance(e ring.End) ring.Header {
	if race.Enabled {
		return 1
	}
	return q.ring.Load(e.Position())
}

// isClosed returns os.ErrClosed if the handle was closed.
func (q *Queue) isClosed() error {
	if q.segment.Closed.Load() {
		return os.ErrClosed
	}
	return nil
}

// findMessage is peek when the end is taken and there may be no message.
func (q *Queue) findMessage(position uint64) (at, n uint64, a ring.Attempt, err error) {
	at, n, a, err = q.ring.Next(position)
	switch {
	case q.segment.Closed.Load(): // Close waits for a call that took the end before
		err = os.ErrClosed
	case a == ring.Done:
		return at, n, a, nil
	}
	ring.Leave(&q.ring.Receive.End, at)
	if at != position {
		q.sending.bell.Notify() // there is more room, by the padding
	}
	return 0, 0, ring.Empty, err
}

// received moves the receiving end on, wakes a sender that waits for room, and, if there
// is more, a receiver that waits for messages.
func (q *Queue) received(next uint64) {
	ring.Leave(&q.ring.Receive.End, next)
	q.sending.bell.Notify()
	q.wakeReceivers(next)
}

func (q *Queue) wakeReceivers(position uint64) {
	if q.ring.Bells.Data.IsAny() && q.ring.Load(position) != 0 {
		q.taking.bell.Ring()
	}
}
