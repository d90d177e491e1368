package channel

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io/fs"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// A Listener has a queue of its name, into which who dials puts the name of the
// connection that it has made. Two mutexes belong to it:
//
//	NAME~listener   held by the one Listener that the name has
//	NAME~l<id>      held by this Listener: its id is in the queue's memory
//
// Who dials watches the second until it is accepted: another Listener that
// comes later has another one.

// Listener waits for connections: a net.Listener over shared memory. Its
// methods may be called from any goroutine.
type Listener struct {
	q       *Queue
	lock    held
	alive   held
	spin    time.Duration
	closing context.Context
	end     context.CancelFunc
}

// held is a mutex that is locked.
type held struct {
	mutex *waitable.Mutex
	hold  waitable.Hold
}

// ListenOptions are the options of [Listen]. The zero value stands for the
// defaults.
type ListenOptions struct {
	// Capacity is how many bytes each direction of a connection holds that one
	// side has written and the other not read, up to 4 GiB; it is rounded up to
	// a power of two. 0 is for 64 KiB.
	Capacity int64

	// Backlog is how many connections can wait to be accepted, roughly: more
	// that dial wait. 0 is for 128.
	Backlog int

	// Spin is that of the accepted connections: [SpinAdaptive], [SpinNever],
	// [SpinAlways], or a time.
	Spin time.Duration

	// Security says who else may dial; nil is for nobody, on Windows for whom
	// the system's default admits.
	Security *Security
}

// requestSize is what a connection that waits to be accepted takes in the
// queue, about.
const requestSize = 40

// Listen makes a name one that can be dialed. If the process of an earlier
// Listener died, its name is free at once.
//
// Returns fs.ErrExist if the name has a Listener, and the errors of
// [CreateQueue].
func Listen(name string, opts *ListenOptions) (*Listener, error) {
	if opts == nil {
		opts = &ListenOptions{}
	}
	l, err := listen(name, *opts)
	if err != nil {
		return nil, failed("listen", name, err)
	}
	return l, nil
}

func listen(name string, opts ListenOptions) (*Listener, error) {
	if opts.Capacity == 0 {
		opts.Capacity = connCapacityDefault
	}
	capacity, err := roundCapacity(opts.Capacity)
	if err != nil {
		return nil, err
	}
	if opts.Backlog <= 0 {
		opts.Backlog = 128
	}
	q, _, err := OpenOrCreateQueue(name, &QueueOptions{
		Capacity: int64(opts.Backlog) * requestSize, Security: opts.Security,
	})
	if err != nil {
		return nil, err
	}
	l := &Listener{q: q, spin: opts.Spin}
	l.closing, l.end = context.WithCancel(context.Background())
	if err := l.start(uint64(capacity)); err != nil {
		l.stop()
		return nil, err
	}
	return l, nil
}

// start takes the name, and says so.
func (l *Listener) start(capacity uint64) (err error) {
	if l.lock, err = l.lockMutex(listenerSuffix); err != nil {
		return err
	}
	var random [8]byte
	_, _ = rand.Read(random[:])                     // never fails
	id := binary.LittleEndian.Uint64(random[:]) | 1 // 0 is for none
	if l.alive, err = l.lockMutex(idSuffix(id)); err != nil {
		return err
	}
	return l.q.view.Guard(func() error {
		atomic.StoreUint64(&l.q.send.limit, capacity)
		atomic.StoreUint64(&l.q.send.oldest, id)
		return nil
	})
}

const listenerSuffix = "~listener"

func idSuffix(id uint64) string { return "~l" + strconv.FormatUint(id, 36) }

func (l *Listener) lockMutex(suffix string) (held, error) {
	mutex, _, err := waitable.OpenOrCreateMutex(l.q.name+suffix, &waitable.MutexOptions{Security: l.q.security})
	if err != nil {
		return held{}, err
	}
	hold, locked, err := mutex.TryLock()
	if err == nil && !locked {
		err = object.Explain(object.ErrExist, "somebody listens there")
	}
	if err != nil {
		return held{}, errors.Join(err, mutex.Close())
	}
	return held{mutex, hold}, nil
}

// Accept waits for the next connection.
func (l *Listener) Accept() (net.Conn, error) {
	c, err := l.AcceptConn(context.Background())
	if err != nil {
		return nil, err
	}
	return c, nil
}

// AcceptConn is Accept with a context, and returns a *Conn. If ctx ends first,
// the error wraps context.Cause(ctx).
func (l *Listener) AcceptConn(ctx context.Context) (*Conn, error) {
	both, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(l.closing, func() { cancel(net.ErrClosed) })()
	for {
		request, err := l.q.Receive(both, nil)
		if err == nil {
			if c, err := l.accept(string(request)); err == nil {
				return c, nil
			}
			continue // who dialed has died, or never did what it should
		}
		if l.closing.Err() != nil {
			err = net.ErrClosed
		}
		return nil, &net.OpError{Op: "accept", Net: l.Addr().Network(), Addr: l.Addr(), Err: err}
	}
}

func (l *Listener) accept(id string) (*Conn, error) {
	seg, _, err := makeSegment(spec{name: l.q.name + "~c" + id, kind: connKind, rings: 2}, open)
	if err != nil {
		return nil, err
	}
	if seg.member.number != accepterPlace {
		return nil, errors.Join(object.ErrCorrupt, seg.close())
	}
	c, err := newConn(seg, Addr(l.q.name), l.spin)
	if err != nil {
		return nil, errors.Join(err, seg.close())
	}
	if gone, err := c.tryPeer(); gone || err != nil {
		return nil, errors.Join(ErrPeerGone, err, c.Close())
	}
	if !c.settle(accepted) {
		return nil, errors.Join(ErrPeerGone, c.Close())
	}
	// Who dialed may sleep, with an eye on this Listener.
	_ = c.view.Guard(func() error {
		c.in.theirs.ring()
		c.out.theirs.ring()
		return nil
	})
	return c, nil
}

// Close ends the listening: connections that were not accepted are closed, those
// that were go on. A second Close returns an error.
func (l *Listener) Close() error {
	if l.closing.Err() != nil {
		return &net.OpError{Op: "close", Net: l.Addr().Network(), Addr: l.Addr(), Err: net.ErrClosed}
	}
	l.end()
	_ = l.q.view.Guard(func() error {
		atomic.StoreUint64(&l.q.send.oldest, 0) // nobody is to dial from here on
		return nil
	})
	for {
		request, ok, err := l.q.TryReceive(nil)
		if !ok || err != nil {
			break
		}
		if c, err := l.accept(string(request)); err == nil {
			_ = c.Close()
		}
	}
	return l.stop()
}

func (l *Listener) stop() (err error) {
	for _, h := range []held{l.alive, l.lock} {
		if h.mutex != nil {
			err = errors.Join(err, h.hold.Unlock(), h.mutex.Close())
		}
	}
	return errors.Join(err, l.q.Close())
}

// Addr returns the listener's name.
func (l *Listener) Addr() net.Addr { return Addr(l.q.name) }

// DialOptions are the options of [Dial]. The zero value stands for the
// defaults.
type DialOptions struct {
	// Wait waits for somebody to listen under the name, until the context ends.
	// Without it that is an error at once.
	Wait bool

	// Spin is how long waits of this side watch the memory before they sleep:
	// [SpinAdaptive], [SpinNever], [SpinAlways], or a time.
	Spin time.Duration
}

// Dial connects to a [Listener]. It returns before it is accepted: what is
// written until then is kept, up to the connection's capacity. If ctx ends
// first, the error wraps context.Cause(ctx).
//
// Returns fs.ErrNotExist if nobody listens under the name.
func Dial(ctx context.Context, name string, opts *DialOptions) (*Conn, error) {
	if opts == nil {
		opts = &DialOptions{}
	}
	for {
		c, err := dial(ctx, name, *opts)
		switch {
		case err == nil:
			return c, nil
		case errors.Is(err, errCrowded): // with others that dial
			err = pause(ctx, crowdPause)
		case opts.Wait && errors.Is(err, fs.ErrNotExist):
			err = awaitListener(ctx, name)
		}
		if err != nil {
			return nil, failed("dial", name, err)
		}
	}
}

const (
	// dialPause is how long to wait for the next step of somebody who is about
	// to listen, or to end.
	dialPause = time.Millisecond

	// crowdPause is how long to wait if more dial than the queue has places.
	crowdPause = 20 * time.Millisecond
)

// awaitListener waits for what only a Listener has: the queue is there as long
// as anybody dials.
func awaitListener(ctx context.Context, name string) error {
	if _, err := waitable.Any(ctx, waitable.Name(name+listenerSuffix)); err != nil {
		return err
	}
	return pause(ctx, dialPause)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
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
func (q *Queue) dial(capacity uint64, listener *waitable.Mutex, opts DialOptions) (*Conn, string, error) {
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
	c.peer.listener = listener
	return c, id, nil
}
