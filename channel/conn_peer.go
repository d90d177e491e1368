package channel

import (
	"cmp"
	"sync/atomic"
	"time"
)

// expectPeer returns an error if the other side is gone, and a write would be in
// vain: a write to a ring with room would not notice that.
func (c *Conn) expectPeer() error {
	if err := c.pulse.beat(c); err != nil {
		return err
	}
	gone := c.session.gone.Load()
	if gone == nil {
		return nil
	}
	closed := false
	if err := c.block.view.Guard(func() error {
		closed = atomic.LoadUint64(&c.out.ring.Bells.ReceiveClosed) != 0
		return nil
	}); err != nil || !closed {
		return cmp.Or(err, *gone)
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
	_, err := c.session.tryPeer()
	return err
}

// next is what the timer does.
func (p *pulse) next(c *Conn) {
	if c.closed.Load() || c.session.gone.Load() != nil || !p.state.CompareAndSwap(beating, waning) {
		p.state.Store(still)
		return
	}
	_, _ = c.session.tryPeer() // an error comes again at the next first write
	time.AfterFunc(pulsePause, func() { p.next(c) })
}
