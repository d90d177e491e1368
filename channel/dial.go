package channel

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"sync/atomic"
	"time"

	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// DialOptions are the options of [Dial]. The zero value has the defaults.
type DialOptions struct {
	// Wait waits until a Listener has the name, or the context ends. Without
	// Wait, Dial returns fs.ErrNotExist at once.
	Wait bool

	// Spin is how long waits of this side spin before they sleep:
	// [SpinAdaptive], [SpinNever], [SpinAlways], or a time.
	Spin time.Duration
}

// Dial connects to the [Listener] of a name. It does not wait until the Listener
// accepts the connection: until then the connection keeps what this side writes,
// up to its capacity. If ctx ends first, the error wraps context.Cause(ctx).
//
// Returns fs.ErrNotExist if no Listener has the name.
func Dial(ctx context.Context, name string, opts *DialOptions) (*Conn, error) {
	if opts == nil {
		opts = &DialOptions{}
	}
	for {
		ended := ctx.Err() != nil // before the look
		c, err := dial(ctx, name, *opts)
		crowded := errors.Is(err, errCrowded) // with others that dial
		switch {
		case err == nil:
			return c, nil
		case !crowded && !(opts.Wait && errors.Is(err, fs.ErrNotExist)):
		case ended:
			err = context.Cause(ctx)
		case crowded:
			pause(ctx, crowdPause)
			continue
		default:
			if err = awaitListener(ctx, name); err == nil || ctx.Err() != nil {
				continue
			}
		}
		return nil, failed("dial", name, err)
	}
}

const (
	// dialPause is how long to wait for the next step of somebody who is about
	// to listen, or to end.
	dialPause = time.Millisecond

	// crowdPause is how long to wait if more dial than the queue has places: to
	// find that out is to look at all of them.
	crowdPause = 100 * time.Millisecond
)

// awaitListener waits for what only a Listener has: the queue is there as long
// as anybody dials.
func awaitListener(ctx context.Context, name string) error {
	if _, err := waitable.Any(ctx, waitable.Name(name+listenerSuffix)); err != nil {
		return err
	}
	pause(ctx, dialPause)
	return nil
}

// pause returns after a time, or when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func dial(ctx context.Context, name string, opts DialOptions) (_ *Conn, err error) {
	q, err := OpenQueue(name, nil)
	if err != nil {
		return nil, err
	}
	defer q.Close()
	var id, capacity uint64
	if err := q.view.Guard(func() error {
		id, capacity = atomic.LoadUint64(&q.send.oldest), atomic.LoadUint64(&q.send.limit)
		return nil
	}); err != nil {
		return nil, err
	}
	listener, err := waitable.OpenMutex(q.name + idSuffix(id))
	if err != nil {
		return nil, errNobody
	}
	c, request, err := q.dial(capacity, listener, opts)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	if err := c.request(ctx, q, []byte(request)); err != nil {
		return nil, errors.Join(err, c.release())
	}
	return c, nil
}

// errNobody is an [object.ErrNotExist].
var errNobody = object.Explain(object.ErrNotExist, "nobody listens there")

// request sends a connection's id to the Listener, while that lives.
func (c *Conn) request(ctx context.Context, q *Queue, id []byte) error {
	for {
		if gone, err := c.tryPeer(); gone || err != nil {
			return cmp.Or(err, errNobody)
		}
		attempt, cancel := context.WithTimeoutCause(ctx, lookAgain, errLookAgain)
		err := q.Send(attempt, id)
		cancel()
		if !errors.Is(err, errLookAgain) {
			return err
		}
	}
}

var errLookAgain = errors.New("time to look whether the listener lives")

// dial makes the dialer's side of a connection, and what to tell the Listener.
func (q *Queue) dial(
	capacity uint64, listener *waitable.Mutex, opts DialOptions,
) (*Conn, string, error) {
	if capacity < capacityLeast || capacity > capacityMost || capacity&(capacity-1) != 0 {
		return nil, "", object.ErrCorrupt
	}
	id := rand.Text()
	seg, _, err := makeSegment(spec{
		name: q.name + "~c" + id, kind: connKind, capacity: int64(capacity), rings: 2,
		places: connPlaces, security: q.security,
	}, create)
	if err != nil {
		return nil, "", err
	}
	c, err := newConn(seg, Addr(q.name), opts.Spin)
	if err != nil {
		return nil, "", errors.Join(err, seg.close())
	}
	c.peers.keep(listenerPlace, listener)
	return c, id, nil
}
