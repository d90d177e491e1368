package channel

import (
	"context"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/internal/kernel"
	"github.com/filemap-go/filemap/object"
)

// What the sender of a stream leaves in it when it ends it.
const (
	finished  = 1 // what was written before is read
	discarded = 2 // it is not
)

// errDiscarded is a syscall.ECONNRESET.
var errDiscarded = object.Explain(syscall.ECONNRESET, "the other side has discarded the connection")

// CloseWrite ends the stream that this side writes: after its last byte the other
// side reads io.EOF.
func (c *Conn) CloseWrite() error {
	return c.check("close", c.change(func() {
		ring.Store(&c.out.ring.Bells.SendClosed, finished)
	}))
}

// CloseRead ends the stream that this side reads: its reads return io.EOF, and the
// other side's writes a syscall.EPIPE. What was not read is lost.
func (c *Conn) CloseRead() error {
	return c.check("close", c.change(func() {
		ring.Store(&c.in.ring.Bells.ReceiveClosed, 1)
	}))
}

// touch runs f, which touches the slot's words, as long as the slot is this Conn's.
func (c *Conn) touch(f func()) error {
	c.touching.Lock()
	defer c.touching.Unlock()
	if c.left {
		return net.ErrClosed
	}
	return c.block.view.Guard(func() error {
		f()
		return nil
	})
}

// change is touch for a change that goroutines of both sides may wait for.
func (c *Conn) change(f func()) error {
	err := c.touch(f)
	c.session.tell(c.slot)
	c.session.waiters.Wake(c.waits)
	return err
}

// SetLinger says what Close does with bytes that the other side has not read, as
// the method of net.TCPConn does:
//
//   - If sec < 0, the default, the other side reads them after Close has returned.
//   - If sec == 0, they are discarded. The other side's reads return a
//     syscall.ECONNRESET.
//   - If sec > 0, Close waits for up to sec seconds until the other side has read
//     them. If it has not, Close returns an error, and the other side can still
//     read them.
func (c *Conn) SetLinger(sec int) error {
	if c.closed.Load() {
		return c.check("set", net.ErrClosed)
	}
	c.linger.Store(int64(sec))
	return nil
}

// Close closes both directions. The other side can still read what this side has
// written, also if this process ends and the connection has not been accepted
// yet: see [Conn.SetLinger]. If the process that listens dies before it has read
// it, it is lost. A second Close returns net.ErrClosed.
func (c *Conn) Close() error {
	if c.closed.Swap(true) {
		return c.check("close", net.ErrClosed)
	}
	c.cancel(net.ErrClosed)
	c.in.deadline.stop()
	c.out.deadline.stop()
	c.in.turn <- struct{}{} // for good: no call uses the slot after it
	c.out.turn <- struct{}{}
	linger, how := c.linger.Load(), uint64(finished)
	if linger == 0 {
		how = discarded
	}
	_, index := c.session.blockOf(c.slot)
	end := func() { c.block.end(index, c.session.side, how) }
	var unread error
	if linger > 0 {
		_ = c.change(end)
		unread = c.awaitRead(time.Duration(linger) * time.Second)
		end = func() {}
	}
	c.giveUp(end)
	return unread
}

// own makes a slot this Conn's, until it gives the slot up by leave.
func (c *Conn) own(leave func()) {
	c.leave = leave
	if kernel.InBubble() { // of testing/synctest: a cleanup is outside, and can't use its timers
		return
	}
	// Nothing here may refer to c.
	s, b, slot := c.session, c.block, c.slot
	_, index := s.blockOf(slot)
	name, _ := object.ParseName(string(c.local)) // it was parsed before
	c.cleanup = kernel.CloseDropped(c, name, func() error {
		err := b.view.Guard(func() error {
			b.end(index, s.side, finished)
			return nil
		})
		s.tell(slot)
		leave()
		return err
	})
}

// giveUp gives the slot up, after a last change of its words.
func (c *Conn) giveUp(last func()) {
	c.cleanup.Stop()
	_ = c.change(func() {
		last()
		c.left = true
	})
	c.leave()
}

// awaitRead waits until the other side has read what this side has written.
func (c *Conn) awaitRead(limit time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(context.Background(), limit, os.ErrDeadlineExceeded)
	defer cancel()
	var unread uint64
	err := c.attempt(&c.out, ctx, func() (ring.Attempt, error) {
		var err error
		if unread, err = c.out.ring.Unread(); unread > 0 && ring.Load(&c.out.ring.Bells.ReceiveClosed) != 0 {
			err = errPeerClosed
		}
		if unread > 0 || err != nil {
			return ring.Full, err
		}
		return ring.Done, nil
	})
	if err == nil {
		return nil
	}
	text := fmt.Sprintf("the other side has not read the last %d bytes: %v", unread, err)
	return c.opError("close", object.Explain(err, text))
}
