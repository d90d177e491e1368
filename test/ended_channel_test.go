package test

import (
	"context"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
)

var waitingChannels = []waitingCall{
	{"channel.Queue.Receive", takeMessage(func(ctx context.Context, q *channel.Queue) error {
		_, err := q.Receive(ctx, nil)
		return err
	})},
	{"channel.Queue.Next", takeMessage(func(ctx context.Context, q *channel.Queue) error {
		lease, err := q.Next(ctx)
		if err == nil {
			err = lease.Release()
		}
		return err
	})},
	{"channel.Queue.Take", takeMessage(func(ctx context.Context, q *channel.Queue) error {
		taken, err := q.Take(ctx)
		if err == nil {
			err = taken.Done()
		}
		return err
	})},
	{"channel.Queue.TakeBatch", takeMessage(func(ctx context.Context, q *channel.Queue) error {
		batch, err := q.TakeBatch(ctx, 2)
		for _, taken := range batch {
			err = errors.Join(err, taken.Done())
		}
		return err
	})},
	{"channel.Queue.Drain", takeMessage(func(ctx context.Context, q *channel.Queue) error {
		_, err := q.Drain(ctx, func([]byte) error { return nil })
		return err
	})},
	{"channel.Queue.Send", send((*channel.Queue).Send)},
	{"channel.Queue.SendBatch", send(func(q *channel.Queue, ctx context.Context, message []byte) error {
		_, err := q.SendBatch(ctx, [][]byte{message})
		return err
	})},
	{"channel.Queue.Reserve", send(func(q *channel.Queue, ctx context.Context, message []byte) error {
		draft, err := q.Reserve(ctx, len(message))
		if err == nil {
			err = draft.Commit(len(message))
		}
		return err
	})},
	{"channel.Queue.Flush", flush((*channel.Queue).Flush)},
	{"channel.Queue.AwaitEmpty", flush((*channel.Queue).AwaitEmpty)},
	{"channel.Topic.Publish", publish((*channel.Topic).Publish)},
	{"channel.Topic.PublishBatch", publish(func(t *channel.Topic, ctx context.Context, message []byte) error {
		_, err := t.PublishBatch(ctx, [][]byte{message})
		return err
	})},
	{"channel.Topic.Reserve", publish(func(t *channel.Topic, ctx context.Context, message []byte) error {
		draft, err := t.Reserve(ctx, len(message))
		if err == nil {
			err = draft.Commit(len(message))
		}
		return err
	})},
	{"channel.Subscription.Receive", receivePublished(func(ctx context.Context, s *channel.Subscription) error {
		_, err := s.Receive(ctx, nil)
		return err
	})},
	{"channel.Subscription.Next", receivePublished(func(ctx context.Context, s *channel.Subscription) error {
		lease, err := s.Next(ctx)
		if err == nil {
			err = lease.Release()
		}
		return err
	})},
	{"channel.Latest.Wait", waitForValue(func(ctx context.Context, l *channel.Latest, after uint64) (uint64, error) {
		return l.Wait(ctx, after, make([]byte, 8))
	})},
	{"channel.Latest.Next", waitForValue(func(ctx context.Context, l *channel.Latest, after uint64) (uint64, error) {
		lease, err := l.Next(ctx, after)
		if err == nil {
			err = lease.Release()
		}
		return lease.Version(), err
	})},
	{"channel.AwaitQueue", awaitChannel(
		func(name string) (closer, error) { return channel.CreateQueue(name, nil) },
		func(ctx context.Context, name string) (closer, error) { return channel.AwaitQueue(ctx, name, nil) })},
	{"channel.AwaitTopic", awaitChannel(
		func(name string) (closer, error) { return channel.CreateTopic(name, nil) },
		func(ctx context.Context, name string) (closer, error) { return channel.AwaitTopic(ctx, name, nil) })},
	{"channel.AwaitLatest", awaitChannel(
		func(name string) (closer, error) { return channel.CreateLatest(name, 8, nil) },
		func(ctx context.Context, name string) (closer, error) { return channel.AwaitLatest(ctx, name, nil) })},
	{"channel.Dial", dial},
	{"channel.Listener.AcceptConn", acceptConn},
}

type closer interface{ Close() error }

func smallQueue(t *testing.T, ns *filemaptest.Namespace) *channel.Queue {
	q, err := channel.CreateQueue(ns.Name("Q"), &channel.QueueOptions{Capacity: 4096})
	succeed(t, "CreateQueue", err)
	closeLater(t, q)
	return q
}

func takeMessage(
	wait func(context.Context, *channel.Queue) error,
) func(*testing.T, *filemaptest.Namespace) waited {
	return func(t *testing.T, ns *filemaptest.Namespace) waited {
		q := smallQueue(t, ns)
		return waited{
			wait:   func(ctx context.Context) error { return wait(ctx, q) },
			signal: func() error { return q.TrySend([]byte("a message")) },
		}
	}
}

// long is a message of which few fit.
var long = make([]byte, 500)

// fillUp sends until there is no room.
func fillUp(try func([]byte) error) error {
	for {
		if err := try(long); errors.Is(err, channel.ErrFull) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func send(
	wait func(*channel.Queue, context.Context, []byte) error,
) func(*testing.T, *filemaptest.Namespace) waited {
	return func(t *testing.T, ns *filemaptest.Namespace) waited {
		q := smallQueue(t, ns)
		rearm := func() error { return fillUp(q.TrySend) }
		succeed(t, "filling the queue", rearm())
		return waited{
			wait: func(ctx context.Context) error { return wait(q, ctx, long) },
			signal: func() error {
				for range 3 {
					if _, _, err := q.TryReceive(nil); err != nil {
						return err
					}
				}
				return nil
			},
			rearm: rearm,
		}
	}
}

func flush(
	wait func(*channel.Queue, context.Context) error,
) func(*testing.T, *filemaptest.Namespace) waited {
	return func(t *testing.T, ns *filemaptest.Namespace) waited {
		q := smallQueue(t, ns)
		rearm := func() error { return q.TrySend([]byte("a message")) }
		succeed(t, "TrySend", rearm())
		return waited{
			wait: func(ctx context.Context) error { return wait(q, ctx) },
			signal: func() error {
				_, _, err := q.TryReceive(nil)
				return err
			},
			rearm: rearm,
		}
	}
}

// subscribed returns a topic and its one subscriber.
func subscribed(t *testing.T, ns *filemaptest.Namespace) (*channel.Topic, *channel.Subscription) {
	topic, err := channel.CreateTopic(ns.Name("T"), &channel.TopicOptions{Capacity: 4096})
	succeed(t, "CreateTopic", err)
	closeLater(t, topic)
	s, err := topic.Subscribe(nil)
	succeed(t, "Subscribe", err)
	closeLater(t, s)
	return topic, s
}

func publish(
	wait func(*channel.Topic, context.Context, []byte) error,
) func(*testing.T, *filemaptest.Namespace) waited {
	return func(t *testing.T, ns *filemaptest.Namespace) waited {
		topic, s := subscribed(t, ns)
		rearm := func() error { return fillUp(topic.TryPublish) }
		succeed(t, "filling the topic", rearm())
		return waited{
			wait: func(ctx context.Context) error { return wait(topic, ctx, long) },
			signal: func() error {
				for range 3 {
					if _, _, err := s.TryReceive(nil); err != nil {
						return err
					}
				}
				return nil
			},
			rearm: rearm,
		}
	}
}

func receivePublished(
	wait func(context.Context, *channel.Subscription) error,
) func(*testing.T, *filemaptest.Namespace) waited {
	return func(t *testing.T, ns *filemaptest.Namespace) waited {
		topic, s := subscribed(t, ns)
		return waited{
			wait:   func(ctx context.Context) error { return wait(ctx, s) },
			signal: func() error { return topic.TryPublish([]byte("a message")) },
		}
	}
}

func waitForValue(
	wait func(ctx context.Context, l *channel.Latest, after uint64) (uint64, error),
) func(*testing.T, *filemaptest.Namespace) waited {
	return func(t *testing.T, ns *filemaptest.Namespace) waited {
		l, err := channel.CreateLatest(ns.Name("L"), 8, nil)
		succeed(t, "CreateLatest", err)
		closeLater(t, l)
		version := uint64(0)
		return waited{
			wait: func(ctx context.Context) error {
				v, err := wait(ctx, l, version)
				if err == nil {
					version = v
				}
				return err
			},
			signal: func() error { return l.Write(make([]byte, 8)) },
		}
	}
}

// awaitChannel waits for what somebody makes.
func awaitChannel(
	create func(name string) (closer, error),
	await func(ctx context.Context, name string) (closer, error),
) func(*testing.T, *filemaptest.Namespace) waited {
	return func(t *testing.T, ns *filemaptest.Namespace) waited {
		var created closer
		return waited{
			wait: func(ctx context.Context) error {
				got, err := await(ctx, ns.Name("Later"))
				if err == nil {
					err = got.Close()
				}
				return err
			},
			signal: func() (err error) {
				created, err = create(ns.Name("Later"))
				return err
			},
			rearm: func() error { return created.Close() },
		}
	}
}

func dial(t *testing.T, ns *filemaptest.Namespace) waited {
	var listener *channel.Listener
	var dialed *channel.Conn
	return waited{
		wait: func(ctx context.Context) (err error) {
			dialed, err = channel.Dial(ctx, ns.Name("L"), &channel.DialOptions{Wait: true})
			return err
		},
		signal: func() (err error) {
			listener, err = channel.Listen(ns.Name("L"), nil)
			return err
		},
		rearm: func() error {
			accepted, err := listener.AcceptConn(t.Context())
			if err != nil {
				return err
			}
			return errors.Join(accepted.Close(), dialed.Close(), listener.Close())
		},
	}
}

func acceptConn(t *testing.T, ns *filemaptest.Namespace) waited {
	l, err := channel.Listen(ns.Name("L"), nil)
	succeed(t, "Listen", err)
	closeLater(t, l)
	var dialed net.Conn
	return waited{
		wait: func(ctx context.Context) error {
			c, err := l.AcceptConn(ctx)
			if err == nil {
				err = c.Close()
			}
			return err
		},
		signal: func() (err error) {
			dialed, err = channel.Dial(context.Background(), ns.Name("L"), nil)
			return err
		},
		rearm: func() error { return dialed.Close() },
	}
}

// TestWriteBeforeDeadline writes strictly before the deadline of a Read passes.
// One that has passed when Read is called ends it at once, as in package net.
func TestWriteBeforeDeadline(t *testing.T) {
	for _, pooled := range []string{"direct", "pooled"} {
		t.Run(pooled, func(t *testing.T) {
			if pooled == "pooled" {
				parkMany(t)
			}
			w := readConn(t, filemaptest.New(t))
			w.signalBeforeEnd(t, effort(t, 25, 300))
		})
	}
}

func readConn(t *testing.T, ns *filemaptest.Namespace) waited {
	l, err := channel.Listen(ns.Name("L"), nil)
	succeed(t, "Listen", err)
	closeLater(t, l)
	out, err := channel.Dial(t.Context(), ns.Name("L"), nil)
	succeed(t, "Dial", err)
	closeLater(t, out)
	in, err := l.AcceptConn(t.Context())
	succeed(t, "AcceptConn", err)
	closeLater(t, in)
	return waited{
		wait: func(ctx context.Context) error {
			succeed(t, "SetReadDeadline", in.SetReadDeadline(time.Time{}))
			end := func() { _ = in.SetReadDeadline(time.Unix(1, 0)) }
			if ctx.Err() == nil { // otherwise the deadline would have passed when Read begins
				defer context.AfterFunc(ctx, end)()
			}
			_, err := in.Read(make([]byte, 100))
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return context.Cause(ctx)
			}
			return err
		},
		signal: func() error {
			_, err := out.Write([]byte("a message"))
			return err
		},
	}
}
