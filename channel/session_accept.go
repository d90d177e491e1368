package channel

import (
	"cmp"
	"encoding/binary"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/channel/internal/segment"
	"github.com/filemap-go/filemap/channel/internal/stream"
	"github.com/filemap-go/filemap/internal/step"
	"github.com/filemap-go/filemap/object"
)

// accepting is the Listener's side of a session.
type accepting struct {
	*session
	l      *Listener
	number uint32 // in the Listener's news
	wants  bool   // it is in the Listener's list of those that have requests

	using sync.Mutex // held to take streams, and to end the session
	taken uint64     // how many requests were taken
	ended bool
	timer *time.Timer // calls tick
}

// newAccepting opens a session that a dialer has asked for. It waits for no other
// process's lock.
func newAccepting(l *Listener, invitation []byte) (a *accepting, err error) {
	if len(invitation) < 8 {
		return nil, object.ErrCorrupt
	}
	key, id := binary.LittleEndian.Uint64(invitation), string(invitation[8:])
	seg, _, err := segment.Make(sessionSpec(l.q, id, l.capacity), segment.Open)
	if err != nil {
		return nil, err
	}
	s, err := newSession(seg)
	if err == nil {
		a = &accepting{session: s, l: l}
		err = a.check(key)
	}
	if err != nil {
		if !isShortage(err) {
			decide(seg, refused) // the dialer looks by itself before long
		}
		return nil, errors.Join(err, seg.Close())
	}
	return a, nil
}

// check returns an error unless the session is with this Listener, of a dialer that
// lives and knows the key.
func (a *accepting) check(key uint64) error {
	if a.segment.Member.Number != accepterPlace || a.segment.Shape.Capacity != a.l.capacity {
		return object.ErrCorrupt
	}
	if err := a.watch(dialerPlace); err != nil {
		return err
	}
	var listener, shown uint64
	if err := a.segment.View.Guard(func() error {
		listener, shown = atomic.LoadUint64(&a.words.listener), atomic.LoadUint64(&a.words.key)
		return nil
	}); err != nil {
		return err
	}
	gone, err := a.tryPeer()
	if err == nil && (gone || listener != a.l.id || shown != key) {
		err = ErrPeerGone
	}
	return err
}

// join tells the dialer that the session is taken, with a number.
func (a *accepting) join(number uint32) (joined bool) {
	a.number = number
	_ = a.segment.View.Guard(func() error {
		step.Here()
		atomic.StoreUint64(&a.words.number, uint64(number))
		return nil
	})
	if decide(a.segment, accepted) != accepted {
		return false
	}
	a.timer = time.AfterFunc(idlePause, a.tick)
	a.tell(dialsSlot)
	return true
}

// takeNext takes the next stream that the dialer asks for, and reports whether there may
// be more. It returns nil without an error if there is none, or the dialer does not want
// it any more.
func (a *accepting) takeNext() (c *Conn, more bool, err error) {
	a.using.Lock()
	defer a.using.Unlock()
	if a.ended {
		return nil, false, nil
	}
	r, ok, err := a.next()
	if !ok || err != nil {
		return nil, false, err
	}
	c, err = a.take(r)
	if isShortage(err) {
		return nil, true, err // it is taken later
	}
	if err != nil {
		a.refuse(r)
	}
	a.skip()
	return c, true, err
}

// refuseAll refuses all streams that the dialer asks for.
func (a *accepting) refuseAll() {
	a.using.Lock()
	defer a.using.Unlock()
	for r, ok, err := a.next(); ok && err == nil; r, ok, err = a.next() {
		a.refuse(r)
		a.skip()
	}
	a.tellDials()
}

// tellDials wakes the dialer's goroutines that wait for the session itself.
func (a *accepting) tellDials() {
	_ = a.segment.View.Guard(func() error {
		ring.Store(&a.words.waits, 0)
		return nil
	})
	a.tell(dialsSlot)
}

// next returns the next request, if there is one. It is taken by skip.
func (a *accepting) next() (r request, ok bool, err error) {
	err = a.segment.View.Guard(func() error {
		asked := ring.Load(&a.words.asked)
		if asked-a.taken > requestMost {
			return object.ErrCorrupt
		}
		if ok = asked != a.taken; ok {
			shared := &a.requests[a.taken%requestMost]
			r = request{atomic.LoadUint64(&shared.slot), atomic.LoadUint64(&shared.generation)}
		}
		return nil
	})
	return r, ok, err
}

func (a *accepting) skip() {
	a.taken++
	_ = a.segment.View.Guard(func() error {
		ring.Store(&a.words.taken, a.taken)
		return nil
	})
}

// take takes the stream of a request. It returns nil without an error if the dialer has
// given it up.
func (a *accepting) take(r request) (*Conn, error) {
	if r.slot >= dialsSlot {
		return nil, object.ErrCorrupt
	}
	slot := uint32(r.slot)
	b, err := a.block(slot)
	if err != nil {
		return nil, err
	}
	waits := a.waiters.Add(slot)
	if waits == nil {
		return nil, object.ErrCorrupt // it is another stream's
	}
	c, err := newConn(a.session, b, slot, r.generation, waits, Addr(a.l.q.segment.Name), a.l.option)
	if err != nil {
		a.waiters.Remove(slot)
		return nil, err
	}
	leave := func() { a.leave(b, slot, r.generation) }
	decision, err := c.decide(stream.Accepted)
	if err != nil || decision != stream.Accepted {
		c.cancel(nil)
		leave()
		return nil, err
	}
	c.own(leave)
	return c, nil
}

// refuse tells the dialer of a request that its stream is not taken.
func (a *accepting) refuse(r request) {
	if r.slot >= dialsSlot {
		return
	}
	if b, err := a.block(uint32(r.slot)); err == nil {
		_, index := a.blockOf(uint32(r.slot))
		_ = b.view.Guard(func() error {
			_, _ = b.slots[index].life.Decide(r.generation, stream.Refused)
			b.end(index, stream.Accepter, finished)
			_, _ = b.slots[index].life.Leave(r.generation, stream.Accepter)
			return nil
		})
		a.tell(uint32(r.slot))
	}
}

func (c *Conn) decide(proposal stream.Decision) (decision stream.Decision, err error) {
	guardErr := c.touch(func() { decision, err = c.life().Decide(c.generation, proposal) })
	return decision, errors.Join(guardErr, err)
}

// block returns the block of a slot, which is the dialer's if that lives: it has had the
// block open since before the request.
func (a *accepting) block(slot uint32) (*block, error) {
	number, _ := a.blockOf(slot)
	serial, err := a.serialOf(number)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.blocks) <= number {
		a.blocks = append(a.blocks, nil)
	}
	if b := a.blocks[number]; b != nil && b.serial == serial {
		return b, nil
	}
	b, err := a.makeBlock(number, serial, segment.Open)
	if err != nil {
		return nil, err
	}
	if gone, err := a.tryPeer(); gone || err != nil { // it may be a stranger's
		return nil, errors.Join(cmp.Or(err, ErrPeerGone), b.close())
	}
	_ = a.blocks[number].close() // the dialer has closed it
	a.blocks[number] = b
	return b, nil
}

// serialOf returns the serial of the dialer's block of a number.
func (a *accepting) serialOf(number int) (serial uint32, err error) {
	if number >= blocksMost {
		return 0, object.ErrCorrupt
	}
	err = a.segment.View.Guard(func() error {
		serial = atomic.LoadUint32(&a.serials[number])
		return nil
	})
	return serial, err
}

// leave gives a stream up. The dialer may ask for another one of its slot at once.
func (a *accepting) leave(b *block, slot uint32, generation uint64) {
	left := a.waiters.Remove(slot)
	_, index := a.blockOf(slot)
	_ = b.view.Guard(func() error {
		_, err := b.slots[index].life.Leave(generation, stream.Accepter)
		return err
	})
	if left > 1 && !a.hasManyBlocks() {
		return
	}
	pause := idlePause
	if a.l.isClosed() {
		pause = 0
	}
	a.timer.Reset(pause)
}

// tick ends a session whose dialer has gone, and that has no streams, and closes the
// blocks that the dialer has closed. While there are streams, those that wait notice
// that the dialer has gone.
func (a *accepting) tick() {
	a.using.Lock()
	defer a.using.Unlock()
	if a.ended {
		return
	}
	a.trim()
	if a.waiters.Len() > 1 {
		if a.hasManyBlocks() { // the dialer may close some later
			a.timer.Reset(idlePause)
		}
		return // until leave
	}
	if gone, err := a.tryPeer(); err == nil && !gone && !a.l.isClosed() {
		a.timer.Reset(idlePause)
		return
	}
	if _, ok, err := a.next(); ok && err == nil && !a.l.isClosed() {
		a.l.wake(a)
		a.timer.Reset(idlePause)
		return
	}
	a.ended = true
	a.l.sessions.remove(a)
	_ = a.close()
}

func (a *accepting) hasManyBlocks() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.blocks) > 1
}

// trim closes the blocks that the dialer has closed, and that have no streams.
func (a *accepting) trim() {
	a.mu.Lock()
	defer a.mu.Unlock()
	kept := uint64(0)
	_ = a.segment.View.Guard(func() error {
		kept = atomic.LoadUint64(&a.words.blocks)
		return nil
	})
	used := a.waiters.End(dialsSlot)
	for n := len(a.blocks); n > 1 && uint64(n) > kept; n = len(a.blocks) {
		if first := a.firstOf(n - 1); used > first {
			return
		}
		_ = a.blocks[n-1].close()
		a.blocks = a.blocks[:n-1]
	}
}

// firstOf returns the number of a block's first slot.
func (s *session) firstOf(block int) (slot uint32) {
	for number := range block {
		slot += uint32(blockSlots(number, s.segment.Shape.Capacity))
	}
	return slot
}
