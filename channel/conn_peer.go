package channel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"

	"github.com/filemap-go/filemap/internal/step"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// peer tells whether the other side of a Conn lives: it holds the mutex of its
// place. Until a Listener has accepted a dialer, that is about the Listener.
type peer struct {
	mu       sync.Mutex
	listener *waitable.Mutex
	place    *waitable.Mutex
	gone     bool
	closed   bool
}

func (p *peer) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, mutex := range []*waitable.Mutex{p.listener, p.place} {
		if mutex != nil {
			_ = mutex.Close()
		}
	}
}

// wait waits until it is worth trying again, or the other side is gone: then
// one more look will show all that came from it.
func (c *Conn) wait(ctx context.Context, p *patience) (gone bool, err error) {
	if !p.lying {
		if p.looks%looksAtOwner == looksAtOwner-1 {
			if gone, err := c.tryPeer(); gone || err != nil {
				return gone, err
			}
		}
		_, err := p.wait(ctx, nil)
		return false, err
	}
	watch, err := c.watch()
	if watch == nil || err != nil {
		return watch == nil, err
	}
	hold, err := p.wait(ctx, watch)
	if err != nil || hold == (waitable.Hold{}) {
		return false, err
	}
	return c.bury(watch), hold.Unlock()
}

// tryPeer is wait without waiting.
func (c *Conn) tryPeer() (gone bool, err error) {
	watch, err := c.watch()
	if watch == nil || err != nil {
		return watch == nil, err
	}
	hold, locked, err := watch.TryLock()
	if !locked {
		return false, err
	}
	return c.bury(watch), hold.Unlock()
}

// watch returns the mutex that the other side holds, or nil if it is gone.
func (c *Conn) watch() (*waitable.Mutex, error) {
	c.peer.mu.Lock()
	defer c.peer.mu.Unlock()
	switch {
	case c.peer.gone:
		return nil, nil
	case c.peer.place != nil:
		return c.peer.place, nil
	case !c.hasPeer():
		return c.peer.listener, nil
	}
	mutex, err := waitable.OpenMutex(c.placeName(c.peerNumber()))
	if errors.Is(err, fs.ErrNotExist) {
		c.peer.gone = true
		return nil, nil
	}
	c.peer.place = mutex
	return mutex, err
}

// peerNumber returns the number of the other side's place.
func (c *Conn) peerNumber() uint16 { return dialerPlace + accepterPlace - c.member.number }

// peerGone returns an [ErrPeerGone] that tells which process it was. That is not
// known before the other side has come, and after it has left its place.
func (c *Conn) peerGone() error {
	places, err := c.places()
	if err != nil || !c.hasPeer() {
		return ErrPeerGone
	}
	var process uint64
	_ = c.view.Guard(func() error {
		process = atomic.LoadUint64(&places[c.peerNumber()-1].process)
		return nil
	})
	if process == 0 {
		return ErrPeerGone
	}
	return object.Explain(ErrPeerGone, fmt.Sprintf("the other side's process %d is gone", process))
}

// bury takes note that the one who held a mutex is gone. It reports false if
// that was a Listener that has accepted: what counts now is the other side.
func (c *Conn) bury(mutex *waitable.Mutex) (gone bool) {
	c.peer.mu.Lock()
	defer c.peer.mu.Unlock()
	if mutex == c.peer.place || !c.settle(givenUp) {
		c.peer.gone = true
	}
	return c.peer.gone
}

// What a dialer's place has for a state, from when that is settled: both sides
// see the same one, whatever becomes of them.
const (
	accepted = 1
	givenUp  = 2 // the Listener was gone before it had accepted
)

// settle settles whether a connection has been accepted, as proposed unless that
// is settled already, and reports whether it has been.
func (c *Conn) settle(proposal uint64) (came bool) {
	places, err := c.places()
	if err != nil {
		return false
	}
	_ = c.view.Guard(func() error {
		state := &places[dialerPlace-1].state
		step.Here()
		atomic.CompareAndSwapUint64(state, 0, proposal)
		step.Here()
		came = atomic.LoadUint64(state) == accepted
		return nil
	})
	return came
}

// hasPeer reports whether the other side has come.
func (c *Conn) hasPeer() (came bool) {
	if c.member.number == accepterPlace {
		return true
	}
	_ = c.view.Guard(func() error {
		step.Here()
		came = atomic.LoadUint64(&c.member.place.state) == accepted
		return nil
	})
	return came
}
