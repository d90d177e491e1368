package channel

import (
	"cmp"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/channel/internal/segment"
	"github.com/filemap-go/filemap/internal/step"
	"github.com/filemap-go/filemap/object"
)

// listenerPlace is under which number a dialer's peers have the mutex that the
// Listener holds, which stands for the other side until it has come: not a place.
const listenerPlace = 3

// watched returns the number of the place whose process this side depends on.
func (c *Conn) watched() uint16 {
	if c.hasPeer() {
		return c.peerNumber()
	}
	return listenerPlace
}

// wait waits until it is worth trying again, or the other side is gone: then
// one more look will show all that came from it.
func (c *Conn) wait(ctx context.Context, p *segment.Patience) (gone bool, err error) {
	err = c.segment.Peers.Wait(ctx, p, ring.Empty.By(c.watched()))
	return c.gone.Load() != nil, err
}

// tryPeer is wait without waiting.
func (c *Conn) tryPeer() (gone bool, err error) {
	if c.gone.Load() == nil {
		_, err = c.segment.Peers.Reap(c.watched())
	}
	return c.gone.Load() != nil, err
}

// expectPeer returns an error if the other side is gone, and a write would be in
// vain: a write to a ring with room would not notice that.
func (c *Conn) expectPeer() error {
	if err := c.pulse.beat(c); err != nil {
		return err
	}
	if c.gone.Load() == nil {
		return nil
	}
	closed := false
	if err := c.segment.View.Guard(func() error {
		closed = atomic.LoadUint64(&c.out.ring.Bells.ReceiveClosed) != 0
		return nil
	}); err != nil || !closed {
		return cmp.Or(err, *c.gone.Load())
	}
	return errPeerClosed
}

// pulse looks for the other side while there are writes: at the first, and then by a
// timer, because a clock would cost a write half of its time.
type pulse struct {
	state atomic.Uint32
}

const (
	still   = iota // there is no timer
	waning         // there is one, and no write since it last ran
	beating        // there was a write
)

// pulsePause is how long writes go on without a look for the other side.
const pulsePause = 20 * time.Millisecond

// beat is called by each write, and by one at a time.
func (p *pulse) beat(c *Conn) error {
	switch {
	case p.state.Load() == beating, p.state.CompareAndSwap(waning, beating):
		return nil
	}
	p.state.Store(beating)
	time.AfterFunc(pulsePause, func() { p.next(c) })
	_, err := c.tryPeer()
	return err
}

// next is what the timer does.
func (p *pulse) next(c *Conn) {
	if c.segment.Closed.Load() || c.gone.Load() != nil || !p.state.CompareAndSwap(beating, waning) {
		p.state.Store(still)
		return
	}
	_, _ = c.tryPeer() // an error comes again at the next first write
	time.AfterFunc(pulsePause, func() { p.next(c) })
}

// peerNumber returns the number of the other side's place.
func (c *Conn) peerNumber() uint16 { return dialerPlace + accepterPlace - c.segment.Member.Number }

// bury takes note that the process of a place is gone, and which it was. That is
// not known before the other side has come, and after it has left its place. A
// Listener that has taken the connection does not count: the other side does.
func (c *Conn) bury(number uint16) {
	gone := ErrPeerGone
	switch number {
	case listenerPlace:
		if decide(c.segment, givenUp) {
			return
		}
	case c.peerNumber():
		places, err := c.segment.Places()
		if err != nil {
			break
		}
		if process := atomic.LoadUint64(&places[number-1].Process); process != 0 {
			gone = object.Explain(gone, fmt.Sprintf("the other side's process %d is gone", process))
		}
	default:
		return
	}
	c.gone.CompareAndSwap(nil, &gone)
}

// What a dialer's place has for a state, from when that is decided: both sides
// see the same one, whatever becomes of them.
const (
	accepted = 1 // the Listener's process has the connection
	givenUp  = 2 // the dialer did not wait for that any longer
	refused  = 3 // the Listener can't open the connection
)

// decide decides whether the Listener has taken a connection, as proposed unless
// that is decided already, and reports whether it has.
func decide(s *segment.Segment, proposal uint64) (taken bool) {
	places, err := s.Places()
	if err != nil {
		return false
	}
	_ = s.View.Guard(func() error {
		step.Here()
		atomic.CompareAndSwapUint64(&places[dialerPlace-1].State, 0, proposal)
		return nil
	})
	return takenAs(s) == accepted
}

// takenAs returns what is decided: 0 is nothing yet.
func takenAs(s *segment.Segment) (state uint64) {
	places, err := s.Places()
	if err != nil {
		return 0
	}
	_ = s.View.Guard(func() error {
		state = atomic.LoadUint64(&places[dialerPlace-1].State)
		return nil
	})
	return state
}

// ringPeer wakes a dialer that waits for its connection to be taken.
func (c *Conn) ringPeer() {
	_ = c.segment.View.Guard(func() error {
		c.out.theirs.Ring()
		return nil
	})
}

// hasPeer reports whether the other side has come.
func (c *Conn) hasPeer() bool {
	return c.segment.Member.Number == accepterPlace || takenAs(c.segment) == accepted
}
