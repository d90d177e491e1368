package channel

import (
	"os"
	"sync/atomic"
	"time"

	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/channel/internal/segment"
)

// grip is what a handle knows of messages in hand.
type grip struct {
	// held has, for each entry, the serial number of the Taken or Lease that has it
	// in hand; 0 is none. So none is ended twice.
	held   []atomic.Uint64
	serial atomic.Uint64

	hints     atomic.Uint64 // when this handle last found that no message was given back
	announced atomic.Bool   // this handle's place is among the takers
	looked    atomic.Int64  // when it last looked for dead takers, in nanoseconds
}

// handsDefault is how many messages of a new queue can be in hand.
const handsDefault = ring.HandsMost

// atEnd takes the place of an entry for a message at the receiving end.
const atEnd = -1

// hinted reports whether a message may have been given back.
func (q *Queue) hinted() bool { return atomic.LoadUint64(&q.ring.Receive.Hints) != q.hints.Load() }

// mayReturn reports whether there was ever a message that could be given back.
func (q *Queue) mayReturn() bool { return atomic.LoadUint64(&q.ring.Bells.Hands) != 0 || q.hinted() }

// find finds the message that is next: the oldest that was given back, or the one
// at the receiving end, which this handle then owns.
func (q *Queue) find(tries int) (m ring.InHand, a ring.Attempt, err error) {
	m.Entry = atEnd
	for range 2 {
		m.Position, m.Length, a, err = q.peek(tries)
		if a != ring.Empty || err != nil {
			return m, a, err
		}
		// There may be one without a hint. If a hint was vain, there is none now.
		hinted := q.hinted()
		if returned, a, err := q.retake(); a == ring.Done || err != nil || !hinted {
			return returned, a, err
		}
	}
	return m, a, err
}

// retake takes a message that was given back in hand.
func (q *Queue) retake() (m ring.InHand, a ring.Attempt, err error) {
	hints := atomic.LoadUint64(&q.ring.Receive.Hints)
	m, more, a, err := q.ring.Retake(q.segment.Member.Number)
	switch {
	case err != nil:
	case a != ring.Done:
		q.hints.Store(hints)
	case q.segment.Closed.Load(): // Close may not have seen it
		q.putBack(m)
		a, err = ring.Empty, os.ErrClosed
	case more:
		q.taking.bell.Notify()
	default:
		q.wakeReceivers(ring.LoadEnd(&q.ring.Receive.End).Position())
	}
	return m, a, err
}

// remove takes a message that was found out of the queue.
func (q *Queue) remove(m ring.InHand) {
	if m.Entry == atEnd {
		q.received(q.ring.Got(m.Position, m.Length))
		return
	}
	q.ring.Free(m, q.segment.Member.Number)
	q.sending.bell.Notify()
}

// putBack leaves a message that was found to others.
func (q *Queue) putBack(m ring.InHand) {
	if m.Entry == atEnd {
		ring.Leave(&q.ring.Receive.End, m.Position)
		q.sending.bell.Notify() // there may be padding before the message
		q.wakeReceivers(m.Position)
		return
	}
	q.ring.GiveBack(m, q.segment.Member.Number)
	q.taking.bell.Notify()
}

// keep notes that the user has a message in hand.
func (q *Queue) keep(m ring.InHand) Taken {
	t := Taken{q, m, q.serial.Add(1)}
	q.held[m.Entry].Store(t.serial)
	return t
}

// announce puts this handle among the takers, and has one that sleeps watch it.
func (q *Queue) announce() error {
	if q.announced.Load() {
		return q.lookAfterTakers()
	}
	return q.segment.View.Guard(func() error {
		q.ring.Bells.Takers.Add(q.segment.Member.Number)
		q.announced.Store(true)
		q.taking.bell.Notify()
		return nil
	})
}

// lookAfterTakers looks now and then whether a taker died: a handle that always
// finds messages never sleeps, and others' should not wait for it.
func (q *Queue) lookAfterTakers() error {
	now, last := time.Now().UnixNano(), q.looked.Load()
	if now-last < int64(segment.LookAgain) || !q.looked.CompareAndSwap(last, now) {
		return nil
	}
	_, err := q.segment.Peers.ReapAny(q.takers())
	return err
}

// takers returns the places that may have messages in hand.
func (q *Queue) takers() (who ring.Sleepers) {
	_ = q.segment.View.Guard(func() error {
		who = q.ring.Bells.Takers.Load()
		return nil
	})
	return who
}
