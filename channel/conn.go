package channel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/channel/internal/segment"
	"github.com/filemap-go/filemap/channel/internal/stream"
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
	session    *session
	block      *block
	slot       uint32
	generation uint64
	waits      *stream.Stream
	in, out    half
	pulse      pulse // of writes
	local      Addr
	remote     Addr
	process    int // of the other side, as that said at the beginning

	closed  atomic.Bool
	closing context.Context
	cancel  context.CancelCauseFunc
	linger  atomic.Int64    // see SetLinger
	leave   func()          // gives the slot up
	cleanup runtime.Cleanup // does so when the program has dropped the Conn

	touching sync.Mutex // held to touch the slot without the turn of a half
	left     bool       // the slot may be another stream's
}

// half is one direction of a Conn, as one of its sides has it.
type half struct {
	ring     ring.Ring
	turn     chan struct{} // held by the one goroutine that reads, or writes
	mine     doze          // of this side's goroutine
	theirs   *uint64       // a flag: the other side's goroutine sleeps
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
// Local\Web#4PZ2QXN5OVYG3ISDTJTRX6WQHM.17.
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

// newConn returns a side of the stream of a slot, which the caller has put among the
// waiters.
func newConn(
	s *session, b *block, slot uint32, generation uint64, waits *stream.Stream, addr Addr, option time.Duration,
) (*Conn, error) {
	c := &Conn{
		session: s, block: b, slot: slot, generation: generation, waits: waits,
		local: addr, remote: addr, process: s.peerProcess(),
	}
	c.linger.Store(-1)
	c.closing, c.cancel = context.WithCancelCause(context.Background())
	out, in := 0, 1
	if s.side == stream.Accepter {
		out, in = in, out
		c.remote += Addr(fmt.Sprintf("#%s.%d", strings.TrimPrefix(s.segment.Name, sessionName(string(addr), "")), generation))
	}
	if err := errors.Join(c.open(&c.in, in), c.open(&c.out, out)); err != nil {
		return nil, err
	}
	room, data := &c.in.ring.Bells.Room[0], &c.in.ring.Bells.Data[0]
	c.in.mine, c.in.theirs = doze{data, &c.in.ring.Receive.Waits, &waits.In}, room
	room, data = &c.out.ring.Bells.Room[0], &c.out.ring.Bells.Data[0]
	c.out.mine, c.out.theirs = doze{room, &c.out.ring.Send.Waits, &waits.Out}, data
	for _, h := range []*half{&c.in, &c.out} {
		h.turn = make(chan struct{}, 1)
		h.spin.Option = option
		h.deadline.start(c.closing)
	}
	return c, nil
}

// open opens the ring of a half.
func (c *Conn) open(h *half, which int) (err error) {
	_, index := c.session.blockOf(c.slot)
	h.ring, err = c.block.ring(index, which, c.session.segment.Shape.Capacity)
	return err
}

func (c *Conn) life() *stream.Life {
	_, index := c.session.blockOf(c.slot)
	return &c.block.slots[index].life
}

// doze is how a goroutine sleeps until a half has changed.
type doze struct {
	flag  *uint64 // shared: 1 while it sleeps, or is about to
	slept *uint64 // shared: counts how often a goroutine lay down
	me    *stream.Waiter
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
			n, a, err = c.read(p)
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
				written, a, err := c.write(p[n:])
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
func (c *Conn) use(h *half, f func(deadline context.Context) error) error {
	deadline := h.deadline.context()
	if deadline.Err() != nil { // as in package net, even if there is something
		return context.Cause(deadline)
	}
	return h.inTurn(deadline, f)
}

// inTurn runs f when no other goroutine uses the half.
func (h *half) inTurn(ctx context.Context, f func(context.Context) error) error {
	if err := takeTurn(ctx, h.turn); err != nil {
		return err
	}
	defer func() { <-h.turn }()
	return f(ctx)
}

// takeTurn waits until no other goroutine has a turn.
func takeTurn(ctx context.Context, turn chan struct{}) error {
	select {
	case turn <- struct{}{}:
		return nil
	default: // a select of both takes as long as everything else that a call does
	}
	select {
	case turn <- struct{}{}:
		return nil
	case <-ctx.Done():
	}
	select { // the last look
	case turn <- struct{}{}:
		return nil
	default:
		return context.Cause(ctx)
	}
}

// usable returns why a half can't be used now, if so.
func (c *Conn) usable(h *half) error { return context.Cause(h.deadline.context()) }

// attempt tries until it is done.
func (c *Conn) attempt(h *half, deadline context.Context, try func() (ring.Attempt, error)) error {
	guarded := func() (a ring.Attempt, err error) {
		err = c.block.view.Guard(func() (err error) {
			for range h.spin.Tries() {
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
	p := segment.Patience{Spin: &h.spin}
	defer c.stop(&p, &h.mine)
	for {
		gone := c.session.gone.Load() // before the look: what came before is seen
		if a, err := guarded(); a == ring.Done || err != nil {
			return err
		}
		if gone != nil {
			return *gone
		}
		if err := c.wait(deadline, &p, &h.mine); err != nil {
			return err
		}
	}
}

// wait waits until it is worth trying again: at once while it spins, later when the
// other side has changed something.
func (c *Conn) wait(ctx context.Context, p *segment.Patience, d *doze) error {
	if p.ShouldReap() {
		if gone, err := c.session.tryPeer(); gone || err != nil {
			return err
		}
	}
	switch {
	case ctx.Err() != nil:
		return p.Again(ctx)
	case p.Asleep:
		if err := c.session.waiters.Wait(ctx, d.me); ctx.Err() != nil {
			return p.Again(ctx)
		} else if err != nil {
			return err
		}
		return c.prepareWait(d, 0)
	case p.Watching():
		runtime.Gosched() // others may have to run for there to be something
		return nil
	}
	p.Asleep = true
	return c.prepareWait(d, 1)
}

// prepareWait says that a goroutine is about to sleep, and counts that.
func (c *Conn) prepareWait(d *doze, count uint64) error {
	return c.block.view.Guard(func() error {
		if count > 0 {
			atomic.AddUint64(d.slept, count)
		}
		ring.Store(d.flag, 1)
		return nil
	})
}

// stop ends a wait.
func (c *Conn) stop(p *segment.Patience, d *doze) {
	if p.Stop(); !p.Asleep {
		return
	}
	_ = c.block.view.Guard(func() error {
		ring.Store(d.flag, 0)
		return nil
	})
}

// read copies what there is, from as many records as fit.
func (c *Conn) read(p []byte) (n int, a ring.Attempt, err error) {
	h := &c.in
	if ring.Load(&h.ring.Bells.ReceiveClosed) != 0 {
		return 0, ring.Empty, io.EOF // by CloseRead
	}
	for n < len(p) {
		more, err := h.readRecord(p[n:])
		if n += more; more == 0 || err != nil {
			if n > 0 {
				break
			}
			return 0, ring.Empty, err
		}
	}
	if ring.Load(h.theirs) != 0 && h.ring.IsHalfEmpty() {
		c.session.notify(h.theirs, c.slot)
	}
	return n, ring.Done, nil
}

// readRecord copies what there is of the next record.
func (h *half) readRecord(p []byte) (int, error) {
	// Looked at first: what was committed before the end is seen below.
	closed := ring.Load(&h.ring.Bells.SendClosed)
	position, length, a, err := h.ring.Front()
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
	if position != h.position || h.offset > length {
		h.position, h.offset = position, 0
	}
	n := min(uint64(len(p)), length-h.offset)
	ring.Copy(p, h.ring.Bytes(position, length)[h.offset:h.offset+n])
	if h.offset += n; h.offset == length {
		ring.Leave(&h.ring.Receive.End, h.ring.Got(position, length))
		h.offset = 0
	}
	return int(n), nil
}

// write copies as much of p as is written at once.
func (c *Conn) write(p []byte) (int, ring.Attempt, error) {
	h := &c.out
	if ring.Load(&h.ring.Bells.ReceiveClosed) != 0 {
		return 0, ring.Empty, errPeerClosed
	}
	if atomic.LoadUint64(&h.ring.Bells.SendClosed) != 0 {
		return 0, ring.Empty, net.ErrClosed
	}
	n := min(uint64(len(p)), h.ring.Size()/4, piece)
	position, a := h.ring.ReserveLow(n)
	if a != ring.Done {
		ring.Leave(&h.ring.Send.End, position)
		return 0, a, nil
	}
	ring.Copy(h.ring.Bytes(position, n), p[:n])
	ring.Leave(&h.ring.Send.End, h.ring.Put(position, n))
	c.session.notify(h.theirs, c.slot)
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
	if c.closed.Load() {
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
	if err == os.ErrClosed || c.closed.Load() {
		err = net.ErrClosed
	}
	return c.opError(op, err)
}

func (c *Conn) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: c.local.Network(), Source: c.local, Addr: c.remote, Err: err}
}
