package channel

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/channel/internal/segment"
	"github.com/filemap-go/filemap/object"
)

// Conn is one side of a connection between two processes: a net.Conn over shared
// memory, with a stream of bytes in each direction. [Dial] returns one side, and
// [Listener.Accept] the other.
//
// After one side has closed the connection, or its process has died, the other
// side can still read everything that was written. Read then returns io.EOF
// after a close and [ErrPeerGone] after a death. All methods may be called from
// any goroutine.
//
// # Differences from unix sockets
//
// The first Write after the other side's Close returns a syscall.EPIPE, and
// deadlines are those of package net: both are as with a unix socket. But:
//
//   - If the other side closes the connection before it has read everything, Read
//     returns what it has sent and then io.EOF, not a syscall.ECONNRESET. Write
//     returns a syscall.EPIPE. To learn whether the last bytes were read, use
//     [Conn.SetLinger], or have the other side answer.
//   - If the other side's process dies, Read returns [ErrPeerGone], not io.EOF. A
//     Write within 50 milliseconds of the death may still succeed.
//   - If the backlog of the Listener is full, Dial waits until its context ends.
//   - The address of a client is never empty: RemoteAddr tells clients apart, and
//     [Conn.Peer] takes the place of SO_PEERCRED.
//   - A connection has no descriptor of its own, so there is neither SyscallConn nor
//     File: descriptors can't be sent, and select(2) can't wait.
type Conn struct {
	segment *segment.Segment
	in, out stream
	gone    atomic.Pointer[error] // set when the other side is: see bury
	pulse   pulse                 // of writes
	local   Addr
	remote  Addr
	process int // of the other side, as that says: see meet

	closing context.Context
	cancel  context.CancelCauseFunc
	linger  atomic.Int64 // see SetLinger
}

// stream is one direction of a Conn, as one of its sides has it.
type stream struct {
	ring     ring.Ring
	turn     chan struct{} // held by the one goroutine that reads, or writes
	mine     *segment.Bell // rings when there is something for this side
	theirs   *segment.Bell
	spin     segment.Spin
	deadline deadline

	// Writing: why there was no memory for a record, which may be half written.
	fault error

	// Reading: how much of the record at a position has been read.
	position uint64
	offset   uint64
}

// ErrPeerGone: the process of the other side has died. It is a
// syscall.ECONNRESET.
var ErrPeerGone = object.Explain(syscall.ECONNRESET, "the other side's process is gone")

// errPeerClosed is a syscall.EPIPE.
var errPeerClosed = object.Explain(syscall.EPIPE, "the other side has closed the connection")

// Addr is the address of a Listener or of a side of a Conn: the Listener's name,
// which follows Local\ or Global\, or for a side that dialed, as the accepting
// side sees it, NAME#ID with the connection's own ID, such as
// Local\Web#4PZ2QXN5OVYG3ISDTJTRX6WQHM.
type Addr string

// Network returns "filemap".
func (a Addr) Network() string { return "filemap" }

// String returns the address.
func (a Addr) String() string { return string(a) }

const (
	dialerPlace   = 1
	accepterPlace = 2

	connCapacityDefault = 1 << 20

	// piece is how much is written as one record: the other side reads it while
	// the next one is written.
	piece = 64 << 10
)

// newConn returns the side of a connection that has a place.
func newConn(seg *segment.Segment, addr Addr, option time.Duration) (*Conn, error) {
	c := &Conn{segment: seg, local: addr, remote: addr}
	c.linger.Store(-1)
	c.closing, c.cancel = context.WithCancelCause(context.Background())
	out, in := int64(0), int64(1)
	if seg.Member.Number == accepterPlace {
		out, in = in, out
		c.remote += "#" + Addr(strings.TrimPrefix(seg.Name, connName(string(addr), "")))
	}
	if err := errors.Join(
		c.in.open(seg, in, reading), c.out.open(seg, out, writing), c.segment.Peers.Start(c.bury),
	); err != nil {
		return nil, err
	}
	for _, s := range []*stream{&c.in, &c.out} {
		s.turn = make(chan struct{}, 1)
		s.spin.Option = option
		s.deadline.start(c.closing)
	}
	return c, nil
}

const (
	reading = true
	writing = false
)

// open opens a stream's ring and its bells.
func (s *stream) open(seg *segment.Segment, index int64, reads bool) (err error) {
	if s.ring, err = seg.Ring(index); err != nil {
		return err
	}
	suffix := [...]string{"", "2"}[index]
	data, err := seg.Bell("~data"+suffix, &s.ring.Bells.Data, &s.ring.Receive.Waits)
	if err != nil {
		return err
	}
	room, err := seg.Bell("~room"+suffix, &s.ring.Bells.Room, &s.ring.Send.Waits)
	if err != nil {
		return err
	}
	if reads {
		s.mine, s.theirs = data, room
	} else {
		s.mine, s.theirs = room, data
	}
	return nil
}

// Read waits until the other side has written at least a byte, and reads what
// there is, up to len(p) bytes. It returns io.EOF if the other side called Close or
// CloseWrite and all bytes that it wrote before have been read, or if this side
// called CloseRead.
func (c *Conn) Read(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, c.check("read", c.usable(&c.in))
	}
	err = c.use(&c.in, func(deadline context.Context) error {
		return c.attempt(&c.in, deadline, func() (a ring.Attempt, err error) {
			n, a, err = c.in.read(p)
			return a, err
		})
	})
	if err == io.EOF {
		return n, io.EOF
	}
	return n, c.check("read", err)
}

// Write writes all of p. It waits while there is no room. It returns a
// syscall.EPIPE if the other side has closed the connection, and [ErrPeerGone] if
// the other side's process died more than a moment ago.
func (c *Conn) Write(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, c.check("write", c.usable(&c.out))
	}
	err = c.use(&c.out, func(deadline context.Context) error {
		if c.out.fault != nil {
			return c.out.fault
		}
		if err := c.expectPeer(); err != nil {
			return err
		}
		for n < len(p) {
			if err := c.attempt(&c.out, deadline, func() (ring.Attempt, error) {
				written, a, err := c.out.write(p[n:])
				n += written
				return a, err
			}); err != nil {
				if errors.Is(err, object.ErrFault) {
					c.out.fault = err
				}
				return err
			}
		}
		return nil
	})
	return n, c.check("write", err)
}

// copySize is how much ReadFrom and WriteTo move at a time.
const copySize = 128 << 10

// ReadFrom writes what it reads from r, until r ends: it is the method of
// io.ReaderFrom.
func (c *Conn) ReadFrom(r io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{c}, struct{ io.Reader }{r}, make([]byte, copySize))
}

// WriteTo writes what it reads from the connection to w, until the other side
// ends its stream: it is the method of io.WriterTo.
func (c *Conn) WriteTo(w io.Writer) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{c}, make([]byte, copySize))
}

// use runs f as the only one that uses a stream.
func (c *Conn) use(s *stream, f func(deadline context.Context) error) error {
	deadline := s.deadline.context()
	if deadline.Err() != nil { // as in package net, even if there is something
		return context.Cause(deadline)
	}
	return s.inTurn(deadline, f)
}

// inTurn runs f when no other goroutine uses the stream.
func (s *stream) inTurn(ctx context.Context, f func(context.Context) error) error {
	select {
	case s.turn <- struct{}{}:
	default: // a select of both takes as long as all else that a call does
		select {
		case s.turn <- struct{}{}:
		case <-ctx.Done():
			select { // the last look
			case s.turn <- struct{}{}:
			default:
				return context.Cause(ctx)
			}
		}
	}
	defer func() { <-s.turn }()
	return f(ctx)
}

// usable returns why a stream can't be used now, if so.
func (c *Conn) usable(s *stream) error { return context.Cause(s.deadline.context()) }

// attempt tries until it is done.
func (c *Conn) attempt(s *stream, deadline context.Context, try func() (ring.Attempt, error)) error {
	guarded := func() (a ring.Attempt, err error) {
		err = c.segment.View.Guard(func() (err error) {
			for range s.spin.Tries() {
				if a, err = try(); a == ring.Done || err != nil {
					return err
				}
			}
			return nil
		})
		return a, err
	}
	if a, err := guarded(); a == ring.Done || err != nil {
		return err
	}
	p := segment.Patience{Bell: s.mine, Spin: &s.spin}
	defer p.Stop()
	for gone := false; ; {
		if a, err := guarded(); a == ring.Done || err != nil {
			return err
		}
		if gone {
			return *c.gone.Load()
		}
		var err error
		if gone, err = c.wait(deadline, &p); err != nil {
			return err
		}
	}
}

// read copies what there is, from as many records as fit.
func (s *stream) read(p []byte) (n int, a ring.Attempt, err error) {
	if ring.Load(&s.ring.Bells.ReceiveClosed) != 0 {
		return 0, ring.Empty, io.EOF // by CloseRead
	}
	for n < len(p) {
		more, err := s.readRecord(p[n:])
		if n += more; more == 0 || err != nil {
			if n > 0 {
				break
			}
			return 0, ring.Empty, err
		}
	}
	if s.ring.Bells.Room.IsAny() && s.ring.IsHalfEmpty() {
		s.theirs.Ring()
	}
	return n, ring.Done, nil
}

// readRecord copies what there is of the next record.
func (s *stream) readRecord(p []byte) (int, error) {
	// Looked at first: what was committed before the end is seen below.
	closed := ring.Load(&s.ring.Bells.SendClosed)
	position, length, a, err := s.ring.Front()
	switch {
	case closed == discarded:
		return 0, errDiscarded
	case err != nil:
		return 0, err
	case a != ring.Done && closed != 0:
		return 0, io.EOF
	case a != ring.Done:
		return 0, nil
	}
	if position != s.position || s.offset > length {
		s.position, s.offset = position, 0
	}
	n := min(uint64(len(p)), length-s.offset)
	ring.Copy(p, s.ring.Bytes(position, length)[s.offset:s.offset+n])
	if s.offset += n; s.offset == length {
		ring.Leave(&s.ring.Receive.End, s.ring.Got(position, length))
		s.offset = 0
	}
	return int(n), nil
}

// write copies as much of p as is written at once.
func (s *stream) write(p []byte) (int, ring.Attempt, error) {
	if ring.Load(&s.ring.Bells.ReceiveClosed) != 0 {
		return 0, ring.Empty, errPeerClosed
	}
	if atomic.LoadUint64(&s.ring.Bells.SendClosed) != 0 {
		return 0, ring.Empty, net.ErrClosed
	}
	n := min(uint64(len(p)), s.ring.Size()/4, piece)
	position, a := s.ring.ReserveLow(n)
	if a != ring.Done {
		ring.Leave(&s.ring.Send.End, position)
		return 0, a, nil
	}
	ring.Copy(s.ring.Bytes(position, n), p[:n])
	ring.Leave(&s.ring.Send.End, s.ring.Put(position, n))
	s.theirs.Notify()
	return int(n), a, nil
}

// LocalAddr returns the name of the Listener that was dialed.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns the name of the Listener that was dialed, with the ID of the
// connection on the side that accepted it: see [Addr]. So it tells connections
// apart. [Conn.Peer] tells which process and user the other side is.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets the time after which reads and writes, even those in progress,
// fail with os.ErrDeadlineExceeded. The zero time means no deadline.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline is SetDeadline for reads.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.setDeadline(&c.in.deadline, t) }

// SetWriteDeadline is SetDeadline for writes.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.setDeadline(&c.out.deadline, t) }

func (c *Conn) setDeadline(d *deadline, t time.Time) error {
	if c.segment.Closed.Load() {
		return c.check("set", net.ErrClosed)
	}
	d.set(t)
	return nil
}

// check returns the error of an operation as package net does.
func (c *Conn) check(op string, err error) error {
	if err == nil {
		return nil
	}
	if below := (*object.Error)(nil); errors.As(err, &below) {
		err = below.Err // it is about a part of the connection
	}
	if err == os.ErrClosed || c.segment.Closed.Load() {
		err = net.ErrClosed
	}
	return c.opError(op, err)
}

func (c *Conn) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: c.local.Network(), Source: c.local, Addr: c.remote, Err: err}
}
