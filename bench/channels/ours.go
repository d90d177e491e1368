package channels

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/filemap-go/filemap/channel"
)

// ours are the ways that filemap has.
var ours = []contestant{
	{name: "filemap Queue, spinning", open: openQueues(channel.SpinAlways)},
	contestant{name: "filemap Queue", open: openQueues(channel.SpinAdaptive)}.
		in(idle, openQueues(channel.SpinAdaptive)).
		in(bulk, openDefaultQueues),
	{name: "filemap Queue, sleeping", open: openQueues(channel.SpinNever)},
	{name: "filemap Queue, batches", open: openBatches},
	{name: "filemap Queue, in place", open: openInPlace},
	framedConns("filemap Conn, spinning", channel.SpinAlways),
	framedConns("filemap Conn", channel.SpinAdaptive).
		in(idle, conns(channel.SpinAdaptive, benchRing).openFramed).
		in(bulk, conns(channel.SpinAdaptive, 0).openFramed).
		in(crowd, conns(channel.SpinAdaptive, 0).openCrowd),
	framedConns("filemap Conn, sleeping", channel.SpinNever),
	grpcUnary("gRPC unary, filemap Conn", conns(channel.SpinAdaptive, benchRing)),
	grpcStreaming("gRPC stream, filemap Conn", conns(channel.SpinAdaptive, benchRing)),
	httpCalls("net/http, filemap Conn", conns(channel.SpinAdaptive, benchRing)),
}

// benchRing is the capacity of queues, and of connections that last: more than a
// processor's own cache, and much less than the one that processors share.
const benchRing = 4 << 20

// longRing is that of queues whose messages are hardly touched: it has room for
// many of the longest.
const longRing = 64 << 20

// queues are two, one each way.
type queues struct{ out, in *channel.Queue }

func openQueues(spin time.Duration) opener {
	return func(e end, name string) (messenger, error) {
		q, err := newQueues(e, name, benchRing, spin)
		return q, err
	}
}

// openDefaultQueues is how a program opens them that asks for nothing.
func openDefaultQueues(e end, name string) (messenger, error) {
	q, err := newQueues(e, name, 0, channel.SpinAdaptive)
	return q, err
}

func newQueues(e end, name string, capacity int64, spin time.Duration) (*queues, error) {
	opts := &channel.QueueOptions{Capacity: capacity, Spin: spin}
	there, _, err := channel.OpenOrCreateQueue(name+"-there", opts)
	if err != nil {
		return nil, err
	}
	back, _, err := channel.OpenOrCreateQueue(name+"-back", opts)
	if err != nil {
		return nil, errors.Join(err, there.Close())
	}
	if e == serverEnd {
		return &queues{out: back, in: there}, nil
	}
	return &queues{out: there, in: back}, nil
}

func (q *queues) Send(p []byte) error { return q.out.Send(background, p) }

func (q *queues) Receive(buf []byte) ([]byte, error) { return q.in.Receive(background, buf) }

func (q *queues) Close() error { return errors.Join(q.out.Close(), q.in.Close()) }

// inPlace writes and reads messages where they lie.
type inPlace struct {
	*queues
	lease channel.Lease
	held  bool
}

// touched is how much of a message is written that is not copied: what the benchmark
// looks at. What it costs to make the rest is the user's own affair.
const touched = 64

func openInPlace(e end, name string) (messenger, error) {
	q, err := newQueues(e, name, longRing, channel.SpinAdaptive)
	return &inPlace{queues: q}, err
}

func (q *inPlace) Send(p []byte) error {
	draft, err := q.out.Reserve(background, len(p))
	if err != nil {
		return err
	}
	copy(draft.Bytes(), p[:min(len(p), touched)])
	return draft.Commit(len(p))
}

func (q *inPlace) Receive([]byte) (p []byte, err error) {
	if q.held {
		if err := q.lease.Release(); err != nil {
			return nil, err
		}
	}
	q.lease, err = q.in.Next(background)
	q.held = err == nil
	return q.lease.Bytes(), err
}

// framedConns sends messages over connections of package channel. To set one up
// takes longer the more it holds, so that is done with the default.
func framedConns(name string, spin time.Duration) contestant {
	n := conns(spin, benchRing)
	return contestant{name: name, open: n.openFramed}.in(setup, conns(spin, 0).openSetup)
}

// conns are connections of package channel.
func conns(spin time.Duration, capacity int64) network {
	return network{
		listen: func(name string) (net.Listener, error) {
			return channel.Listen(name, &channel.ListenOptions{Capacity: capacity, Spin: spin})
		},
		dial: func(ctx context.Context, name string) (net.Conn, error) {
			return channel.Dial(ctx, name, &channel.DialOptions{Wait: true, Spin: spin})
		},
	}
}
