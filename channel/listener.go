package channel

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/filemap-go/filemap/internal/step"
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
//
// Any number of connections can be open at once, as long as there is memory for
// them.
//
// # Linux notes
//
// Each connection costs the accepting process eight file descriptors, and the
// dialing process nine. If the process has no more of them, Dial fails, and Accept
// fails with syscall.EMFILE; a later Accept can accept that connection.
type Listener struct {
	q       *Queue
	lock    held
	alive   held
	later   chan string // ids of connections for which there was no file
	spin    time.Duration
	closing context.Context
	cancel  context.CancelFunc
}

// held is a mutex that is locked.
type held struct {
	mutex *waitable.Mutex
	hold  waitable.Hold
}

// ListenOptions are the options of [Listen]. The zero value has the defaults.
type ListenOptions struct {
	// Capacity is the size in bytes of the ring of each direction of a
	// connection, up to 4 GiB: it holds what one side has written and the other
	// side has not read. It is rounded up to a power of two. 0 means 64 KiB, which
	// is quick to set up; with 4 MiB, more than a processor's own cache, bulk data
	// moves several times as fast.
	Capacity int64

	// Backlog is roughly how many connections can wait to be accepted; further
	// calls of Dial wait. 0 means 128.
	Backlog int

	// Spin is how long waits of the accepted connections spin before they sleep:
	// [SpinAdaptive], [SpinNever], [SpinAlways], or a time.
	Spin time.Duration

	// Security says which other users may dial. nil admits none; on Windows it
	// admits those that the system's default admits.
	Security *Security
}

// laterMost is how many connections a Listener keeps that it had no files for.
const laterMost = 128

// requestSize is what a connection that waits to be accepted takes in the
// queue, about.
const requestSize = 40

// Listen returns the Listener of a name, for other processes to [Dial]. If the
// process of an earlier Listener has died, its name is free at once.
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
	l := &Listener{q: q, later: make(chan string, laterMost), spin: opts.Spin}
	l.closing, l.cancel = context.WithCancel(context.Background())
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
		step.Here()
		atomic.StoreUint64(&l.q.send.limit, capacity)
		step.Here()
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
		request, err := l.next(both)
		if err == nil {
			var c *Conn
			if c, err = l.accept(request); err == nil {
				return c, nil
			}
			if err = l.putOff(request, err); err == nil {
				continue // who dialed has died, or never did what it should
			}
		}
		if l.closing.Err() != nil {
			err = net.ErrClosed
		}
		return nil, &net.OpError{Op: "accept", Net: l.Addr().Network(), Addr: l.Addr(), Err: err}
	}
}

// next returns the id of the next connection to be accepted.
func (l *Listener) next(ctx context.Context) (request string, err error) {
	select {
	case request = <-l.later:
		return request, nil
	default:
		id, err := l.q.Receive(ctx, nil)
		return string(id), err
	}
}

// putOff keeps a connection that could not be accepted for a later Accept, and
// returns the error, if this process is out of files: who dialed waits for an
// answer. The error is a syscall.Errno, which servers know as one that passes.
func (l *Listener) putOff(request string, err error) error {
	for _, cause := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE} {
		if errors.Is(err, cause) {
			select {
			case l.later <- request:
			default: // more Accepts at once than that are out of files
			}
			return cause
		}
	}
	return nil
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
	if !c.decide(accepted) {
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

// Close stops listening. Connections that were not accepted are closed; accepted
// connections stay open. A second Close returns an error.
func (l *Listener) Close() error {
	if l.closing.Err() != nil {
		return &net.OpError{Op: "close", Net: l.Addr().Network(), Addr: l.Addr(), Err: net.ErrClosed}
	}
	l.cancel()
	_ = l.q.view.Guard(func() error {
		step.Here()
		atomic.StoreUint64(&l.q.send.oldest, 0) // nobody is to dial from here on
		return nil
	})
	for {
		request, err := l.next(l.closing) // does not wait
		if err != nil {
			break
		}
		if c, err := l.accept(request); err == nil {
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
