package channel

import (
	"context"
	"os"

	"github.com/filemap-go/filemap/internal/race"
)

// Receive waits for the next message, removes it from the queue, and returns it in
// buffer, or in a longer buffer if that is too short. If ctx has ended, Receive
// takes a message that is there; if there is none, the error wraps
// context.Cause(ctx).
//
// Returns object.ErrCorrupt if another process has corrupted the queue's memory.
func (q *Queue) Receive(ctx context.Context, buffer []byte) ([]byte, error) {
	message, a, err := q.tryReceive(buffer, q.taking.spin.tries())
	if a == done {
		return message, nil
	}
	err = q.takeLater(ctx, a, err, func(tries int) (a attempt, err error) {
		message, a, err = q.tryReceive(buffer, tries)
		return a, err
	})
	return message, err
}

// takeLater tries again and again after a first attempt to take a message that
// was not done.
func (q *Queue) takeLater(
	ctx context.Context, a attempt, err error, try func(tries int) (attempt, error),
) error {
	p := q.taking.patience()
	p.others = q.takers // what they have in hand comes to this handle if they die
	defer p.stop()
	for err == nil && a != done {
		if err = q.peers.wait(ctx, &p, a); err == nil {
			a, err = try(q.taking.spin.tries())
		}
	}
	return q.check("receive", err)
}

// TryReceive is [Queue.Receive] without waiting. It reports false if there is
// no message.
func (q *Queue) TryReceive(buffer []byte) (message []byte, ok bool, err error) {
	a, err := q.peers.once(func() (a attempt, err error) {
		message, a, err = q.tryReceive(buffer, 1)
		return a, err
	})
	return message, a == done, q.check("receive", err)
}

// Drain waits for a message and then calls f with it and with all further messages,
// in place, until the queue is empty or f returns an error. It removes the
// messages for which f returned nil, and returns their number.
//
// The bytes are valid only during the call of f. No other receiver can receive
// until Drain returns. f must not close the handle.
func (q *Queue) Drain(ctx context.Context, f func(message []byte) error) (n int, err error) {
	n, a, err := q.tryDrain(f, q.taking.spin.tries())
	if a == done {
		return n, nil
	}
	err = q.takeLater(ctx, a, err, func(tries int) (a attempt, err error) {
		n, a, err = q.tryDrain(f, tries)
		return a, err
	})
	return n, err
}

func (q *Queue) tryDrain(f func([]byte) error, tries int) (n int, a attempt, err error) {
	err = q.view.Guard(func() error {
		position, length, tried, err := q.peek(tries)
		if tried == empty && err == nil && q.mayReturn() {
			n, position, length, tried, err = q.drainReturned(f)
		}
		if tried != done {
			if a = tried; n > 0 && err == nil {
				a = done
			}
			return err
		}
		defer func() { q.received(position) }() // also if f panics
		for more := done; more == done && !q.closed.Load(); n++ {
			if err := f(q.bytes(position, length)); err != nil {
				return err
			}
			position = q.got(position, length)
			q.move(position)
			position, length, more, err = q.next(position)
		}
		if err == nil {
			a = done
		}
		return err
	})
	return n, a, err
}

// drainReturned calls f with the messages that were given back, and returns their
// number, and then the message at the receiving end as peek does.
func (q *Queue) drainReturned(f func([]byte) error) (n int, position, length uint64, a attempt, err error) {
	for !q.closed.Load() {
		m, a, err := q.find(1)
		if a != done || m.entry == atEnd {
			return n, m.position, m.length, a, err
		}
		if err := q.drainOne(m, f); err != nil {
			return n, 0, 0, empty, err
		}
		n++
	}
	return n, 0, 0, empty, nil
}

func (q *Queue) drainOne(m inHand, f func([]byte) error) error {
	ended := false
	defer func() { // also if f panics
		if !ended {
			q.putBack(m)
		}
	}()
	if err := f(q.bytes(m.position, m.length)); err != nil {
		return err
	}
	ended = true
	q.remove(m)
	return nil
}

// move moves the receiving end on, and keeps it.
func (q *Queue) move(next uint64) {
	newEnd(next, q.member.number).store(&q.receive.end)
	q.sending.bell.notify()
}

// tryReceive takes the next message if there is one within so many tries.
func (q *Queue) tryReceive(buffer []byte, tries int) (message []byte, a attempt, err error) {
	err = q.view.Guard(func() error {
		position, n, tried, err := q.peek(tries)
		if tried == done {
			message = appendBytes(buffer[:0], q.bytes(position, n))
			q.received(q.got(position, n))
		} else if tried == empty && err == nil && q.mayReturn() {
			message, tried, err = q.receiveReturned(buffer)
		}
		a = tried
		return err
	})
	return message, a, err
}

// receiveReturned receives a message that was given back, or the next one after
// all.
func (q *Queue) receiveReturned(buffer []byte) (message []byte, a attempt, err error) {
	m, a, err := q.find(1)
	if a == done {
		message = appendBytes(buffer[:0], q.bytes(m.position, m.length))
		q.remove(m)
	}
	return message, a, err
}

// peek takes the receiving end if there is a message, and returns where. It finds
// none if one may have been given back, which comes first: then call find.
func (q *Queue) peek(tries int) (position, n uint64, a attempt, err error) {
	if q.hinted() {
		return 0, 0, empty, nil
	}
	e := loadEnd(&q.receive.end)
	h := q.glance(e)
	for ; h == 0; h = q.glance(e) {
		if tries--; tries <= 0 {
			return 0, 0, empty, q.isClosed()
		}
		e = loadEnd(&q.receive.end)
	}
	if !e.take(&q.receive.end, q.member.number) {
		return 0, 0, taken.by(e.owner()), nil
	}
	position = e.position()
	if race.Enabled {
		h = q.load(position)
	}
	if h.isMessage(position, q.size()-position&q.mask) && !q.closed.Load() {
		return position, h.length(), done, nil
	}
	return q.findMessage(position)
}

// glance returns the header at an end, whoever has it. Who then takes the end
// may use it: it would have failed if anybody else had been there. But the race
// detector does not know that, so it gets to see a look at what is owned.
func (q *Queue) glance(e end) header {
	if race.Enabled {
		return 1
	}
	return q.load(e.position())
}

// isClosed returns os.ErrClosed if the handle was closed.
func (q *Queue) isClosed() error {
	if q.closed.Load() {
		return os.ErrClosed
	}
	return nil
}

// findMessage is peek when the end is taken and there may be no message.
func (q *Queue) findMessage(position uint64) (at, n uint64, a attempt, err error) {
	at, n, a, err = q.next(position)
	switch {
	case q.closed.Load(): // Close waits for a call that took the end before
		err = os.ErrClosed
	case a == done:
		return at, n, a, nil
	}
	leave(&q.receive.end, at)
	if at != position {
		q.sending.bell.notify() // there is more room, by the padding
	}
	return 0, 0, empty, err
}

// received moves the receiving end on, wakes a sender that waits for room, and, if there
// is more, a receiver that waits for messages.
func (q *Queue) received(next uint64) {
	leave(&q.receive.end, next)
	q.sending.bell.notify()
	q.wakeReceivers(next)
}

func (q *Queue) wakeReceivers(position uint64) {
	if q.bells.data.isAny() && q.load(position) != 0 {
		q.taking.bell.ring()
	}
}
