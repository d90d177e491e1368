package test

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/filemap-go/filemap/channel"
)

// One process writes nonsense all over the memory of a channel that others use.
// What those do may fail, or give wrong messages; it ends, and crashes nobody.

// abusers are how a process uses a channel of each kind, until a time: each call
// is to end soon after its context does, and done gets its error.
var abusers = map[string]func(name string, until time.Time, done func(error)){
	"queue":  abuseQueue,
	"topic":  abuseTopic,
	"latest": abuseLatest,
	"conn":   abuseConn,
}

// soon is a context for a call that has nothing to wait for.
func soon() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 2*time.Millisecond)
}

func abuseQueue(name string, until time.Time, done func(error)) {
	q, _, err := channel.OpenOrCreateQueue(name, &channel.QueueOptions{Capacity: 8192})
	done(err)
	for err == nil && time.Now().Before(until) {
		ctx, cancel := soon()
		message := make([]byte, rand.IntN(3000))
		switch rand.IntN(7) {
		case 0:
			done(q.Send(ctx, message))
		case 1:
			_, err := q.SendBatch(ctx, [][]byte{message, nil, message})
			done(err)
		case 2:
			d, err := q.Reserve(ctx, len(message))
			if err == nil {
				err = d.Commit(copy(d.Bytes(), message))
			}
			done(err)
		case 3:
			_, err := q.Receive(ctx, nil)
			done(err)
		case 4:
			_, err := q.Drain(ctx, func([]byte) error { return nil })
			done(err)
		case 5:
			l, err := q.Next(ctx)
			if err == nil {
				err = l.Release()
			}
			done(err)
		case 6:
			_, err := channel.Inspect(name)
			done(errors.Join(err, q.Flush(ctx)))
		}
		cancel()
	}
	if err == nil {
		done(q.Close())
	}
}

func abuseTopic(name string, until time.Time, done func(error)) {
	overflow := channel.Block
	if name[len("topic")]%2 == 1 { // the same for all
		overflow = channel.Overwrite
	}
	opts := &channel.TopicOptions{Capacity: 8192, Overflow: overflow}
	topic, _, err := channel.OpenOrCreateTopic(name, opts)
	done(err)
	for err == nil && time.Now().Before(until) {
		s, err := topic.Subscribe(&channel.SubscribeOptions{Last: rand.IntN(5)})
		done(err)
		for range 20 {
			ctx, cancel := soon()
			message := make([]byte, rand.IntN(3000))
			switch rand.IntN(5) {
			case 0:
				done(topic.Publish(ctx, message))
			case 1:
				_, err := topic.PublishBatch(ctx, [][]byte{message, nil, message})
				done(err)
			case 2:
				d, err := topic.Reserve(ctx, len(message))
				if err == nil {
					err = d.Commit(copy(d.Bytes(), message))
				}
				done(err)
			case 3:
				if s != nil {
					_, err := s.Receive(ctx, nil)
					done(err)
				}
			case 4:
				if s != nil {
					lease, err := s.Next(ctx)
					if err == nil {
						copy(message, lease.Bytes())
						err = lease.Release()
					}
					done(err)
				}
			}
			cancel()
		}
		if s != nil {
			done(s.Close())
		}
	}
	if err == nil {
		done(topic.Close())
	}
}

func abuseLatest(name string, until time.Time, done func(error)) {
	l, _, err := channel.OpenOrCreateLatest(name, 500, nil)
	done(err)
	for err == nil && time.Now().Before(until) {
		ctx, cancel := soon()
		value := make([]byte, l.Size())
		switch rand.IntN(5) {
		case 0:
			done(l.Write(value))
		case 1:
			_, err := l.Read(value)
			done(err)
		case 2:
			_, err := l.Wait(ctx, rand.Uint64N(3), value)
			done(err)
		case 3:
			d, err := l.Reserve()
			if err == nil {
				copy(d.Bytes(), value)
				err = d.Commit()
			}
			done(err)
		case 4:
			lease, err := l.Next(ctx, rand.Uint64N(3))
			if err == nil {
				copy(value, lease.Bytes())
				err = lease.Release()
			}
			done(err)
		}
		cancel()
	}
	if err == nil {
		done(l.Close())
	}
}

// abuseConn listens, or dials who does: whoever comes first.
func abuseConn(name string, until time.Time, done func(error)) {
	l, err := channel.Listen(name, &channel.ListenOptions{Capacity: 8192})
	if err == nil {
		defer func() { done(l.Close()) }()
	}
	for time.Now().Before(until) {
		ctx, cancel := soon()
		var c *channel.Conn
		if l != nil {
			c, err = l.AcceptConn(ctx)
		} else {
			c, err = channel.Dial(ctx, name, nil)
		}
		cancel()
		if done(err); err == nil {
			converseBadly(c, done)
		}
	}
}

func converseBadly(c *channel.Conn, done func(error)) {
	for range 20 {
		deadline := time.Now().Add(2 * time.Millisecond)
		done(c.SetDeadline(deadline))
		p := make([]byte, 1+rand.IntN(3000))
		if rand.IntN(2) == 0 {
			_, err := c.Write(p)
			done(err)
		} else {
			_, err := c.Read(p)
			done(err)
		}
	}
	if rand.IntN(2) == 0 {
		done(c.CloseWrite())
	}
	done(c.Close())
}
