package channel

import (
	"context"
	"os"
)

// Publish puts a copy of the message into the topic. If the topic's [Overflow] is
// Block and there is no room, it waits for the slowest subscriber. If ctx has
// ended and there is no room, the error wraps context.Cause(ctx).
//
// Returns [ErrTooLong] if the message is longer than [Topic.Longest].
func (t *Topic) Publish(ctx context.Context, message []byte) error {
	a, err := t.tryPublish(message, false)
	if a == done {
		return nil
	}
	return t.publishLater(ctx, a, err, func(hurry bool) (attempt, error) {
		return t.tryPublish(message, hurry)
	})
}

// publishLater tries again and again where the first attempt came to nothing.
func (t *Topic) publishLater(
	ctx context.Context, a attempt, err error, try func(hurry bool) (attempt, error),
) error {
	p := t.sending.patience()
	defer p.stop()
	for err == nil && a != done {
		if err = t.peers.wait(ctx, &p, a); err == nil {
			a, err = try(p.asleep)
		}
	}
	if err != nil && p.asleep { // another one can do with what woke this one
		_ = t.view.Guard(func() error {
			t.sending.bell.notify()
			return nil
		})
	}
	return t.check("publish", err)
}

// TryPublish puts a copy of the message into the topic if there is room now.
// Otherwise it returns [ErrFull].
func (t *Topic) TryPublish(message []byte) error {
	a, err := t.peers.once(func() (attempt, error) { return t.tryPublish(message, false) })
	if err == nil && a != done {
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
		if a != done {
			err = t.publishLater(ctx, a, err, func(hurry bool) (a attempt, err error) {
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
func (t *Topic) tryPublish(message []byte, hurry bool) (a attempt, err error) {
	var asleep sleepers
	err = t.view.Guard(func() error {
		position, tried, err := t.reserve(len(message), hurry)
		if tried == done {
			t.broadcast.write(position, t.broadcast.send.messages, message)
			asleep = t.published(t.broadcast.finish(position, uint64(len(message))))
		}
		a = tried
		return err
	})
	t.peers.wake(asleep)
	return a, err
}

func (t *Topic) tryBatch(batch [][]byte, hurry bool) (n int, a attempt, err error) {
	var asleep sleepers
	err = t.view.Guard(func() error {
		position, tried, err := t.reserve(len(batch[0]), hurry)
		if tried == done {
			var next uint64
			n, next = t.broadcast.finishBatch(position, batch)
			asleep = t.published(next)
		}
		a = tried
		return err
	})
	t.peers.wake(asleep)
	return n, a, err
}

// reserve takes the sending end, with room for a message at the position.
func (t *Topic) reserve(length int, hurry bool) (position uint64, a attempt, err error) {
	s := &t.broadcast
	e := loadEnd(&s.send.end)
	if !e.take(&s.send.end, t.member.number) {
		return 0, taken.by(e.owner()), nil
	}
	position = e.position()
	switch {
	case t.closed.Load(): // Close waits for a call that took the end before
		err = os.ErrClosed
	case uint64(length) > s.longestMessage():
		err = tooLong(uint64(length), s.longestMessage())
	default:
		position, a = s.reserve(position, topicSize(uint64(length)), t.member.number)
		if a == done {
			return position, done, nil
		}
	}
	if err == nil && hurry && !s.hurry(a.owner()) {
		a = taken
	}
	leave(&s.send.end, position)
	if position != e.position() { // a sleeper may be in the way, at padding
		t.peers.wake(s.bells.data.takeAll())
	}
	return position, a, err
}

// published moves the sending end on, wakes what waits for it, and returns which
// subscribers sleep, for [peers.wake].
func (t *Topic) published(next uint64) sleepers {
	leave(&t.broadcast.send.end, next)
	t.sending.bell.notify()
	return t.broadcast.bells.data.takeAll()
}
