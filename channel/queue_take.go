package channel

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/object"
)

// Taken is a message that this handle has in hand, in the queue's own memory.
// Other receivers get the messages after it meanwhile, and senders go around it.
// It stays in hand until Done or Return is called, or the handle is closed, or the
// process dies: then another receiver gets it, before messages that were not taken
// yet.
//
// A Taken is a value; its methods may be called from any goroutine.
type Taken struct {
	q      *Queue
	inHand ring.InHand
	serial uint64
}

// TakenID identifies a message for good: no other message of any queue has it.
type TakenID struct {
	Queue    uint64 // a random number, which the queue got when it was created
	Position uint64 // where the message is among all bytes that were ever sent
}

// Take waits for the next message and takes it in hand: first those that were given
// back, the oldest one first. A handle may have many in hand at once. If ctx has
// ended, Take takes a message that is there; if there is none, the error wraps
// context.Cause(ctx).
//
// Returns object.ErrNoSpace if as many messages are in hand as there can be: 1024,
// of all handles together. Returns object.ErrCorrupt if another process has
// corrupted the queue's memory.
func (q *Queue) Take(ctx context.Context) (Taken, error) {
	t, a, err := q.tryTake(q.taking.spin.Tries())
	if a == ring.Done {
		return t, nil
	}
	err = q.takeLater(ctx, a, err, func(tries int) (a ring.Attempt, err error) {
		t, a, err = q.tryTake(tries)
		return a, err
	})
	return t, err
}

// TryTake is [Queue.Take] without waiting. It reports false if there is no message.
func (q *Queue) TryTake() (t Taken, ok bool, err error) {
	a, err := q.segment.Peers.Once(func() (a ring.Attempt, err error) {
		t, a, err = q.tryTake(1)
		return a, err
	})
	return t, a == ring.Done, q.check("receive", err)
}

// TakeBatch waits for a message and then takes all that are there in hand, up to
// most of them. Each is ended by itself. It is faster than a Take for each.
//
// Returns fs.ErrInvalid if most is less than 1. For other errors see [Queue.Take];
// TakeBatch returns what it has taken before it found that no more can be in hand.
func (q *Queue) TakeBatch(ctx context.Context, most int) (batch []Taken, err error) {
	if most < 1 {
		return nil, q.failed("receive", tooFew(most))
	}
	batch, a, err := q.tryTakeBatch(most, q.taking.spin.Tries())
	if a == ring.Done {
		return batch, nil
	}
	err = q.takeLater(ctx, a, err, func(tries int) (a ring.Attempt, err error) {
		batch, a, err = q.tryTakeBatch(most, tries)
		return a, err
	})
	return batch, err
}

func (q *Queue) tryTake(tries int) (t Taken, a ring.Attempt, err error) {
	a, err = q.grasp(func() (a ring.Attempt, err error) {
		m, a, err := q.find(tries)
		if a == ring.Done && m.Entry == atEnd {
			var next uint64
			m, next, err = q.takeAt(0, m.Position, m.Length)
			q.received(next)
		}
		if a == ring.Done && err == nil {
			t = q.keep(m)
		}
		return a, err
	})
	return t, a, err
}

func (q *Queue) tryTakeBatch(most, tries int) (batch []Taken, a ring.Attempt, err error) {
	a, err = q.grasp(func() (a ring.Attempt, err error) {
		m, a, err := q.find(tries)
		for a == ring.Done && m.Entry != atEnd {
			batch = append(batch, q.keep(m))
			if len(batch) == most {
				return a, nil
			}
			m, a, err = q.find(1)
		}
		if a == ring.Done {
			batch, err = q.takeBatch(batch, most, m)
		}
		if len(batch) > 0 { // what was wrong after them, if anything, the next call finds
			return ring.Done, nil
		}
		return a, err
	})
	return batch, a, err
}

// takeBatch takes messages in hand, from one at the receiving end on, which this
// handle owns, and then moves it on.
func (q *Queue) takeBatch(batch []Taken, most int, m ring.InHand) (_ []Taken, err error) {
	position, length, a, first := m.Position, m.Length, ring.Done, 0
	for a == ring.Done && err == nil && len(batch) < most {
		var next uint64
		if m, next, err = q.takeAt(first, position, length); err != nil {
			break
		}
		batch, first = append(batch, q.keep(m)), m.Entry+1
		position, length, a, err = q.ring.Next(next)
	}
	q.received(position)
	return batch, err
}

// takeAt takes a message at the receiving end in hand, and returns where the next
// one is.
func (q *Queue) takeAt(from int, position, length uint64) (m ring.InHand, next uint64, err error) {
	m, ok := q.ring.Fill(from, position, length, q.segment.Member.Number)
	if !ok {
		return m, position, errHandsFull(int(q.segment.Shape.Hands))
	}
	return m, q.ring.Got(position, length), nil
}

// Bytes returns the message. Accesses to it are not checked: an access after the
// queue is closed crashes the program, as with [filemap.View.Bytes]. After Done or
// Return the bytes may be another message's. Another process that breaks the
// protocol may change them at any time.
func (t Taken) Bytes() []byte {
	if t.q == nil {
		return nil
	}
	return t.q.ring.Bytes(t.inHand.Position, t.inHand.Length)
}

// Takes returns how often the message was taken before by a handle that did not
// end it, so that one that kills its workers can be put aside.
func (t Taken) Takes() int { return int(t.inHand.Takes) }

// ID returns what identifies the message.
func (t Taken) ID() TakenID {
	if t.q == nil {
		return TakenID{}
	}
	return TakenID{t.q.segment.Shape.ID, t.inHand.Position}
}

// Done removes the message from the queue.
//
// Returns os.ErrClosed if the message is not in hand any more: after Done or Return, or
// if the queue was closed.
func (t Taken) Done() error {
	return t.finish("done", func(m ring.InHand) { t.q.remove(m) })
}

// Return gives the message to another receiver, or to this one again.
//
// Returns os.ErrClosed if the message is not in hand any more: after Done or Return, or
// if the queue was closed.
func (t Taken) Return() error {
	return t.finish("return", func(m ring.InHand) { t.q.putBack(m) })
}

func (t Taken) finish(op string, f func(ring.InHand)) error {
	if t.q == nil {
		return failed(op, "", os.ErrClosed)
	}
	err := t.q.segment.View.Guard(func() error {
		if !t.q.held[t.inHand.Entry].CompareAndSwap(t.serial, 0) {
			return os.ErrClosed
		}
		f(t.inHand)
		return nil
	})
	return t.q.check(op, err)
}

// errHandsFull returns an [object.ErrNoSpace] for a message too many.
func errHandsFull(most int) error {
	return object.Explain(object.ErrNoSpace, fmt.Sprintf(
		"%d messages are in hand, of all handles together: that is the limit", most))
}

// grasp is an attempt to take messages in hand. If too many are in hand, it tries
// again without those of dead processes.
func (q *Queue) grasp(take func() (ring.Attempt, error)) (a ring.Attempt, err error) {
	if err = q.announce(); err != nil {
		return a, err
	}
	for range 2 {
		err = q.segment.View.Guard(func() (err error) {
			a, err = take()
			return err
		})
		if !errors.Is(err, object.ErrNoSpace) {
			break
		}
		if dead, reapErr := q.segment.Peers.ReapAny(q.takers()); !dead {
			err = errors.Join(err, reapErr)
			break
		}
	}
	if err != nil {
		a = ring.Empty
	}
	return a, err
}
