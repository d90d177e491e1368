package channel

import (
	"context"
	"os"

	"github.com/filemap-go/filemap/channel/internal/ring"
)

// Publish puts a copy of the message into the topic. If the topic's [Overflow] is
// Block and there is no room, it waits for the slowest subscriber. If ctx has
// ended and there is no room, the error wraps context.Cause(ctx).
//
// Returns [ErrTooLong] if the message is longer than [Topic.Longest].
func (t *Topic) Publish(ctx context.Context, message []byte) error {
	a, err := t.tryPublish(message, false)
	if a == ring.Done {
		return nil
	}
	return t.publishLater(ctx, a, err, func(hurry bool) (ring.Attempt, error) {
		return t.tryPublish(message, hurry)
	})
}

// publishLater tries again and again where the first attempt came to nothing.
func (t *Topic) publishLater(
	ctx context.Context, a ring.Attempt, err error, try func(hurry bool) (ring.Attempt, error),
) error {
	p := t.sending.patience()
	defer p.Stop()
	for err == nil && a != ring.Done {
		if err = t.segment.Peers.Wait(ctx, &p, a); err == nil {
			a, err = try(p.Asleep)
		}
	}
	if err != nil && p.Asleep { // another one can do with what woke this one
		_ = t.segment.View.Guard(func() error {
			t.sending.bell.Notify()
			return nil
		})
	}
	return t.check("publish", err)
}

// TryPublish puts a copy of the message into the topic if there is room now.
// Otherwise it returns [ErrFull].
func (t *Topic) TryPublish(message []byte) error {
	a, err := t.segment.Peers.Once(func() (ring.Attempt, error) { return t.tryPublish(message, false) })
	if err == nil && a != ring.Done {
		err = ErrFull
	}
	return t.check("publish", err)
}

// PublishBatch publishes messages one after the other. It is faster than a Publish
// for each, because messages that there is room for become visible together. It
// returns how many it published; if they are fewer than all, the error says why.
func (t *Topic) PublishBatch(ctx context.Context, batch [][]byte) (published int, err error) {
	for published < len(batch) {
		n, a, err := t.tryBatch(batch[published:], false)
		if a != ring.Done {
			err = t.publishLater(ctx, a, err, func(hurry bool) (a ring.Attempt, err error) {
				n, a, err = t.tryBatch(batch[published:], hurry)
				return a, err
			})
		}
		published += n
		if err != nil {
			return published, err
		}
	}
	return published, nil
}

// tryPublish publishes the message if there is room. If hurry, and there is
// none, the one in the way will ring.
func (t *Topic) tryPublish(message []byte, hurry bool) (a ring.Attempt, err error) {
	var asleep ring.Sleepers
	err = t.segment.View.Guard(func() error {
		position, tried, err := t.reserve(len(message), hurry)
		if tried == ring.Done {
			t.broadcast.Write(position, t.broadcast.Send.Messages, message)
			asleep = t.published(t.broadcast.Finish(position, uint64(len(message))))
		}
		a = tried
		return err
	})
	t.segment.Peers.Wake(asleep)
	return a, err
}

func (t *Topic) tryBatch(batch [][]byte, hurry bool) (n int, a ring.Attempt, err error) {
	var asleep ring.Sleepers
	err = t.segment.View.Guard(func() error {
		position, tried, err := t.reserve(len(batch[0]), hurry)
		if tried == ring.Done {
			var next uint64
			n, next = t.broadcast.FinishBatch(position, batch)
			asleep = t.published(next)
		}
		a = tried
		return err
	})
	t.segment.Peers.Wake(asleep)
	return n, a, err
}

// reserve takes the sending end, with room for a message at the position.
func (t *Topic) reserve(length int, hurry bool) (position uint64, a ring.Attempt, err error) {
	s := &t.broadcast
	e := ring.LoadEnd(&s.Send.End)
	if !e.Take(&s.Send.End, t.segment.Member.Number) {
		return 0, ring.Taken.By(e.Owner()), nil
	}
	position = e.Position()
	switch {
	case t.segment.Closed.Load(): // Close waits for a call that took the end before
		err = os.ErrClosed
	case uint64(length) > s.Longest():
		err = tooLong(uint64(length), s.Longest())
	default:
		position, a = s.Reserve(position, uint64(length), t.segment.Member.Number)
		if a == ring.Done {
			return position, ring.Done, nil
		}
	}
	if err == nil && hurry && !s.Hurry(a.Owner()) {
		a = ring.Taken
	}
	ring.Leave(&s.Send.End, position)
	if position != e.Position() { // a sleeper may be in the way, at padding
		t.segment.Peers.Wake(s.Bells.Data.TakeAll())
	}
	return position, a, err
}

// published moves the sending end on, wakes what waits for it, and returns which
// subscribers sleep, for [peers.wake].
func (t *Topic) published(next uint64) ring.Sleepers {
	ring.Leave(&t.broadcast.Send.End, next)
	t.sending.bell.Notify()
	return t.broadcast.Bells.Data.TakeAll()
}
