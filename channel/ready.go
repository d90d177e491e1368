package channel

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// The methods Ready return objects that are signaled while a receive would return at
// once. A wait for one is a wait of the kind's own, which receives nothing.

func condition(
	name string, ready func(context.Context) (bool, error), await func(context.Context) error,
) waitable.Object {
	return waitable.NewCondition(name, object.Mapping, ready, await)
}

// Ready returns an object that is signaled while [Queue.Receive] would return at once,
// for [waitable.Any] and [waitable.All]. Taking it receives nothing: if several
// processes wait and there is one message, all of them may be told of it, and one
// gets it. Receive it by [Queue.TryReceive].
//
// The object uses the handle, and may be used any number of times. A wait returns
// os.ErrClosed if the handle is closed. All waits for the message first: when it
// returns, another process may have received the message.
func (q *Queue) Ready() waitable.Object {
	return condition(q.segment.Name,
		func(context.Context) (bool, error) {
			a, err := q.segment.Peers.Once(func() (ring.Attempt, error) { return q.look(1) })
			return a == ring.Done, q.check("receive", err)
		},
		func(ctx context.Context) error { return q.takeLater(ctx, ring.Empty, nil, q.look) })
}

// look looks for a message that was given back, or else takes the receiving end if
// there is a message within so many tries, and gives it up. It takes none in hand,
// which would count.
func (q *Queue) look(tries int) (a ring.Attempt, err error) {
	err = q.segment.View.Guard(func() (err error) {
		hints := ring.Load(&q.ring.Receive.Hints)
		if _, _, n := q.ring.OldestReturned(); n > 0 {
			q.taking.bell.Notify() // for another one that waits
			a = ring.Done
			return q.isClosed()
		}
		q.hints.Store(hints)
		m := ring.InHand{Entry: atEnd}
		if m.Position, m.Length, a, err = q.peek(tries); a == ring.Done {
			q.putBack(m)
		}
		return err
	})
	return a, err
}

// Ready returns an object that is signaled while [Subscription.Receive] would return
// at once: see [Queue.Ready].
func (s *Subscription) Ready() waitable.Object {
	return condition(s.segment.Name,
		func(context.Context) (bool, error) {
			a, err := s.look(1)
			return a == ring.Done, s.check("receive", err)
		},
		func(ctx context.Context) error { return s.receiveLater(ctx, ring.Empty, nil, s.look) })
}

// look looks for a message up to so many times.
func (s *Subscription) look(tries int) (a ring.Attempt, err error) {
	s.receiving.Lock()
	defer s.receiving.Unlock()
	if s.segment.Closed.Load() {
		return ring.Empty, os.ErrClosed
	}
	err = s.segment.View.Guard(func() (err error) {
		for {
			_, _, a, err = s.cursor.Find()
			if tries--; tries <= 0 || a != ring.Empty || err != nil {
				break
			}
		}
		s.wakePublisher()
		return err
	})
	return a, err
}

// Ready returns an object that is signaled while the newest version is not after: it
// is to [Latest.Wait] what [Queue.Ready] is to Receive.
func (l *Latest) Ready(after uint64) waitable.Object {
	look := func(tries int) (ring.Attempt, error) { return l.look(after, tries) }
	return condition(l.segment.Name,
		func(context.Context) (bool, error) {
			a, err := look(1)
			return a == ring.Done, l.check("wait", err)
		},
		func(ctx context.Context) error { return l.check("wait", l.await(ctx, look)) })
}

// look looks for a version other than after up to so many times.
func (l *Latest) look(after uint64, tries int) (a ring.Attempt, err error) {
	err = l.segment.View.Guard(func() error {
		for ; tries > 0 && a != ring.Done; tries-- {
			if version := l.slots.Newest().Version(); version != 0 && version != after {
				a = ring.Done
			}
		}
		return nil
	})
	return a, err
}

// Ready returns an object that is signaled while [Conn.Read] would return at once: it
// is to Read what [Queue.Ready] is to Receive. It does not regard deadlines. While
// another goroutine of this side reads, it is not signaled.
func (c *Conn) Ready() waitable.Object {
	return condition(c.local.String(),
		func(context.Context) (bool, error) {
			err := c.awaitBytes(ended)
			if errors.Is(err, errEnded) {
				return false, nil
			}
			return err == nil, c.checkReady(err)
		},
		func(ctx context.Context) error { return c.checkReady(c.awaitBytes(ctx)) })
}

var (
	errEnded = errors.New("there is nothing")

	// ended is the context of a look that does not wait.
	ended = func() context.Context {
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(errEnded)
		return ctx
	}()
)

// awaitBytes waits until a read would return at once.
func (c *Conn) awaitBytes(ctx context.Context) error {
	if c.closed.Load() {
		return os.ErrClosed
	}
	both, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.closing, func() { cancel(os.ErrClosed) })()
	err := c.in.inTurn(both, func(ctx context.Context) error { return c.attempt(&c.in, ctx, c.in.look) })
	if c.closed.Load() { // Close ends the stream, too
		return os.ErrClosed
	}
	if err == io.EOF || errors.Is(err, ErrPeerGone) {
		return nil // which is what a read would return
	}
	return err
}

// look looks for a record, and returns io.EOF if a read would return without one.
func (h *half) look() (ring.Attempt, error) {
	closed := ring.Load(&h.ring.Bells.SendClosed) // first, as readRecord does
	_, _, a, err := h.ring.Front()
	if closed == discarded || err == nil && a != ring.Done && closed != 0 || ring.Load(&h.ring.Bells.ReceiveClosed) != 0 {
		err = io.EOF
	}
	return a, err
}

func (c *Conn) checkReady(err error) error {
	switch {
	case err == nil:
		return nil
	case c.closed.Load():
		err = os.ErrClosed
	}
	return failed("read", c.local.String(), err)
}

// Ready returns an object that is signaled while [Listener.Accept] would return at
// once: it is to Accept what [Queue.Ready] is to Receive.
func (l *Listener) Ready() waitable.Object {
	return condition(l.q.segment.Name,
		func(context.Context) (bool, error) {
			ok, _, err := l.look()
			return ok, l.q.check("accept", err)
		},
		func(ctx context.Context) error { return l.q.check("accept", l.awaitReady(ctx)) })
}

// awaitReady waits until an Accept would return at once.
func (l *Listener) awaitReady(ctx context.Context) error {
	for {
		ended := ctx.Err() != nil // before the look
		ok, news, err := l.look()
		switch {
		case ok || err != nil:
			return err
		case ended:
			return context.Cause(ctx)
		}
		select {
		case <-news:
		case <-l.closing.Done():
		case <-ctx.Done():
		}
	}
}

// look reports whether an Accept would return at once. If not, news is closed when
// that may have changed.
func (l *Listener) look() (ok bool, news <-chan struct{}, err error) {
	if l.closing.Err() != nil {
		return false, nil, os.ErrClosed
	}
	news = l.news.ask()
	if len(l.ready) == 0 {
		l.takeMore()
	}
	return len(l.ready)+len(l.failures) > 0, news, nil
}
