package channel

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/filemap-go/filemap/channel/internal/segment"
	"github.com/filemap-go/filemap/internal/step"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// A Listener has a queue of its name, into which a dialer puts the id of the
// connection that it has made. Two mutexes belong to it:
//
//	NAME~listener   held by the one Listener that the name has
//	NAME~l<id>      held by this Listener: its id is in the queue's memory
//
// A dialer watches the second until its connection is taken: a later Listener of
// the name has another one.

// Listener waits for connections: a net.Listener over shared memory. Its
// methods may be called from any goroutine.
//
// A Listener takes connections before they are accepted, up to
// [ListenOptions.Backlog] of them: [Dial] returns when it has. From then on the
// connection lives in this process, so what a dialer writes can be read even if
// the dialer has ended long before Accept. If the Listener is closed or its
// process dies, the connections that were not accepted are lost, as those of a
// socket are.
//
// Up to 16,384 processes can have connections to a Listener at once, and each of them
// some 16,000, as long as there is memory for them. With rings of more than 4 MiB, a
// process can have fewer: 1,024, or as many as have rings of 128 GiB together.
//
// # Linux notes
//
// A process that has connections to a Listener costs both processes some ten file
// descriptors, and one or two more for every thousand connections; a connection
// itself costs none. If the listening process has no more of them, dialers wait,
// and Accept fails with syscall.EMFILE; a later Accept can accept them.
type Listener struct {
	q        *Queue
	id       uint64        // of this Listener
	capacity uint64        // of connections
	option   time.Duration // how long waits spin
	lock     held
	alive    held
	reception
}

// held is a mutex that is locked.
type held struct {
	mutex *waitable.Mutex
	hold  waitable.Hold
}

// ListenOptions are the options of [Listen]. The zero value has the defaults.
type ListenOptions struct {
	// Capacity is the size in bytes of the ring of each direction of a
	// connection, up to 4 GiB. It is rounded up to a power of two, and to at least
	// 4,096. 0 means 1 MiB. The ring has what one side has written and the other
	// side has not read: each Write takes 8 bytes and its length, rounded up to a
	// multiple of 8, and 256 bytes stay free. So writes of a byte fill it with a
	// sixteenth of its size. A long Write takes 8 bytes for every 64 KiB, or for
	// every quarter of a smaller ring.
	//
	// The memory is taken when it is first used. While the reader keeps up, that is
	// a sixteenth of each ring, and what one Write writes. If there is no memory
	// left, Write returns object.ErrFault.
	Capacity int64

	// Backlog is how many connections the Listener takes before they are
	// accepted; further calls of Dial wait. 0 or less means 128.
	Backlog int

	// Spin is how long waits of the Listener and of the accepted connections spin
	// before they sleep: [SpinAdaptive], [SpinNever], [SpinAlways], or a time.
	Spin time.Duration

	// Security says which other users may dial. nil admits none; on Windows it
	// admits those that the system's default admits.
	Security *Security
}

// Listen returns the Listener of a name, for other processes to [Dial]. If the
// process of an earlier Listener has died, its name is free at once.
//
// Returns fs.ErrExist if the name has a Listener, object.ErrWrongKind if the name
// is another object's, such as a queue's, and the errors of [CreateQueue].
func Listen(name string, opts *ListenOptions) (*Listener, error) {
	if opts == nil {
		opts = &ListenOptions{}
	}
	l, err := newListener(name, *opts)
	if err != nil {
		return nil, failed("listen", name, err)
	}
	l.receive()
	return l, nil
}

// newListener returns a Listener that takes no sessions yet.
func newListener(name string, opts ListenOptions) (*Listener, error) {
	if opts.Capacity == 0 {
		opts.Capacity = connCapacityDefault
	}
	capacity, err := segment.RoundCapacity(opts.Capacity)
	if err != nil {
		return nil, err
	}
	if opts.Backlog <= 0 {
		opts.Backlog = 128
	}
	q, _, err := makeQueue(segment.Spec{
		Name: name, Kind: segment.Listener, Capacity: segment.CapacityLeast, Security: opts.Security,
	}, QueueOptions{Spin: SpinNever}, segment.OpenOrCreate)
	if err != nil {
		return nil, err
	}
	l := &Listener{q: q, capacity: uint64(capacity), option: opts.Spin}
	if err := l.start(opts.Backlog); err != nil {
		return nil, errors.Join(err, l.stop())
	}
	return l, nil
}

// start takes the name, and says so.
func (l *Listener) start(backlog int) (err error) {
	if l.lock, err = l.lockMutex(listenerSuffix); err != nil {
		return err
	}
	l.id = randomNumber()
	if l.alive, err = l.lockMutex(idSuffix(l.id)); err != nil {
		return err
	}
	if err := l.prepare(backlog); err != nil {
		return err
	}
	return l.q.segment.View.Guard(func() error {
		step.Here()
		atomic.StoreUint64(&l.q.ring.Send.Limit, l.capacity)
		step.Here()
		atomic.StoreUint64(&l.q.ring.Send.Oldest, l.id)
		return nil
	})
}

// randomNumber returns one that no other process can guess. 0 is for none.
func randomNumber() uint64 {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	return binary.LittleEndian.Uint64(random[:]) | 1
}

const listenerSuffix = "~listener"

func idSuffix(id uint64) string { return "~l" + strconv.FormatUint(id, 36) }

func (l *Listener) lockMutex(suffix string) (held, error) {
	mutex, _, err := waitable.OpenOrCreateMutex(l.q.segment.Name+suffix, &waitable.MutexOptions{Security: l.q.segment.Security})
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
//
// If this process cannot take connections, for lack of memory, file descriptors
// or rights, AcceptConn returns the cause, in an error whose method Temporary
// reports true. Connections can be accepted after that.
func (l *Listener) AcceptConn(ctx context.Context) (*Conn, error) {
	c, err := l.accept(ctx)
	if err != nil {
		return nil, l.failed("accept", err)
	}
	return c, nil
}

// Close stops listening. Connections that were not accepted are closed; accepted
// connections stay open. A second Close returns an error.
func (l *Listener) Close() error {
	if l.closing.Err() != nil {
		return l.failed("close", net.ErrClosed)
	}
	_ = l.q.segment.View.Guard(func() error {
		step.Here()
		atomic.StoreUint64(&l.q.ring.Send.Oldest, 0) // Dial finds no Listener from here on
		return nil
	})
	l.endReception()
	return l.stop()
}

func (l *Listener) stop() (err error) {
	for _, h := range []held{l.alive, l.lock} {
		if h.mutex != nil {
			err = errors.Join(err, h.hold.Unlock(), h.mutex.Close())
		}
	}
	if l.bell != nil {
		err = errors.Join(err, l.bell.Close())
	}
	return errors.Join(err, l.q.Close())
}

// failed returns the error of an operation on the Listener.
func (l *Listener) failed(op string, err error) error {
	return &net.OpError{Op: op, Net: l.Addr().Network(), Addr: l.Addr(), Err: err}
}

// Addr returns the listener's name.
func (l *Listener) Addr() net.Addr { return Addr(l.q.segment.Name) }
