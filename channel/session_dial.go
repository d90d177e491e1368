package channel

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"sync/atomic"
	"time"

	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/channel/internal/segment"
	"github.com/filemap-go/filemap/channel/internal/stream"
	"github.com/filemap-go/filemap/internal/step"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// dialing is the dialer's side of a session: it chooses the slots of the streams.
type dialing struct {
	*session
	door    *door
	slots   stream.Slots  // under mu
	met     []bool        // which blocks the accepter has open, as far as is known; under mu
	serial  uint32        // of the block that was made last; under mu
	turn    chan struct{} // held by the one Dial that waits for room for a request
	users   int           // Dials in progress, and connections; under dialed.mu
	doorway *doorway
	timed   bool // it has a timer, which closes it: see tick
	idle    bool // there was no user when the timer last ran
}

// idlePause is how long a session without connections stays: for up to twice as long.
const idlePause = 400 * time.Millisecond

// newDialing makes a session with the Listener of a name.
func newDialing(ctx context.Context, name string) (d *dialing, err error) {
	q, _, err := makeQueue(segment.Spec{Name: name, Kind: segment.Listener}, QueueOptions{}, segment.Open)
	if err != nil {
		return nil, err
	}
	d, alive, err := q.newDialing(ctx)
	if err := errors.Join(err, q.Close()); err != nil {
		if d != nil {
			err = errors.Join(err, d.close())
		}
		if alive != nil {
			err = errors.Join(err, alive.Close())
		}
		return nil, err
	}
	err = d.awaitTaken(ctx)
	if err == nil {
		err = d.watch(accepterPlace)
	}
	if err := errors.Join(err, alive.Close()); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

// newDialing makes the dialer's side, and asks the Listener to take the session.
func (q *Queue) newDialing(ctx context.Context) (d *dialing, alive *waitable.Mutex, err error) {
	alive, listener, capacity, err := q.listener()
	if err != nil {
		return nil, nil, err
	}
	id, key := rand.Text(), randomNumber()
	seg, _, err := segment.Make(sessionSpec(q, id, capacity), segment.Create)
	if err != nil {
		return nil, alive, err
	}
	s, err := newSession(seg)
	if err != nil {
		return nil, alive, errors.Join(err, seg.Close())
	}
	d = &dialing{session: s, turn: make(chan struct{}, 1)}
	d.alarms = []waitable.Object{d.bells[stream.Dialer], alive}
	if d.door, err = openDoor(q.segment.Name, listener); err != nil {
		return d, alive, err
	}
	d.segment.Attach(d.door)
	if err := d.segment.View.Guard(func() error {
		step.Here()
		atomic.StoreUint64(&d.words.listener, listener)
		atomic.StoreUint64(&d.words.key, key)
		return nil
	}); err != nil {
		return d, alive, err
	}
	return d, alive, d.request(ctx, q, invitation(key, id))
}

// request sends an invitation to the Listener, while that lives.
func (d *dialing) request(ctx context.Context, q *Queue, invitation []byte) error {
	for {
		if gone, err := d.tryPeer(); gone || err != nil {
			return cmp.Or(err, errNobody)
		}
		attempt, cancel := context.WithTimeoutCause(ctx, segment.LookAgain, errLookAgain)
		err := q.Send(attempt, invitation)
		cancel()
		if !errors.Is(err, errLookAgain) {
			return err
		}
	}
}

// awaitTaken waits until the Listener has taken the session.
func (d *dialing) awaitTaken(ctx context.Context) error {
	ctx, stop := lasting(ctx, takeTime)
	defer stop()
	for {
		ended, gone := ctx.Err() != nil, d.gone.Load() != nil // before the look
		switch decision := decide(d.segment, 0); {
		case decision == accepted:
			d.gone.Store(nil) // it is the Listener that has gone, not its process
			return nil
		case decision == refused && d.door.isOpen():
			return errRefused
		case decision == refused: // by a later Listener of the name
			return errNobody
		case gone || ended:
			if decide(d.segment, givenUp) == accepted { // in the last moment
				continue
			}
			if gone {
				return errNobody
			}
			return context.Cause(ctx)
		}
		if err := d.awaitNews(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// awaitNews waits until the Listener has decided, or might have: one that can't open the
// session's bells does not ring.
func (d *dialing) awaitNews(ctx context.Context) error {
	look, cancel := context.WithTimeoutCause(ctx, segment.LookAgain, errLookAgain)
	defer cancel()
	err := d.waiters.Wait(look, &d.dials.In)
	if errors.Is(err, errLookAgain) {
		return nil
	}
	return err
}

// dial opens a stream, and tells the Listener. The caller is a user of the session,
// and then the Conn is.
func (d *dialing) dial(ctx context.Context, opts DialOptions) (*Conn, error) {
	c, met, err := d.openInTurn(ctx, opts)
	if err != nil {
		dialed.exit(d)
		return nil, err
	}
	d.door.knock(d.words, d.segment.View)
	if met && d.door.isOpen() {
		return c, nil
	}
	if err := d.awaitAccepted(ctx, c); err != nil {
		c.linger.Store(0)
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// openInTurn is open for one Dial after the other.
func (d *dialing) openInTurn(ctx context.Context, opts DialOptions) (c *Conn, met bool, err error) {
	if err := takeTurn(ctx, d.turn); err != nil {
		return nil, false, err
	}
	defer func() { <-d.turn }()
	return d.open(ctx, opts)
}

// open opens a stream, and asks the accepter to take it, when there is room for that.
// It reports whether the accepter has the stream's block open, and so the stream.
func (d *dialing) open(ctx context.Context, opts DialOptions) (c *Conn, met bool, err error) {
	if err := d.awaitRoom(ctx); err != nil {
		return nil, false, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	slot, life, generation, err := d.takeSlot()
	if err != nil {
		return nil, false, err
	}
	number, index := d.blockOf(slot)
	b := d.blocks[number]
	c, err = newConn(d.session, b, slot, generation, d.waiters.Add(slot), Addr(d.door.name), opts.Spin)
	if err == nil {
		err = b.view.Guard(func() error {
			b.clear(index, [2]ring.Ring{c.out.ring, c.in.ring})
			life.Begin(generation)
			return nil
		})
	}
	if err == nil {
		err = d.ask(request{uint64(slot), generation})
	}
	if err != nil {
		d.waiters.Remove(slot)
		d.slots.Drop(slot)
		return nil, false, err
	}
	c.own(func() { d.leave(slot) })
	return c, d.met[number], nil
}

// takeSlot takes a free slot, of a further block if need be.
func (d *dialing) takeSlot() (slot uint32, life *stream.Life, generation uint64, err error) {
	slot, life, generation, ok := d.slots.Take()
	if ok {
		return slot, life, generation, nil
	}
	d.sweep()
	if slot, life, generation, ok = d.slots.Take(); ok {
		return slot, life, generation, nil
	}
	if err := d.addBlock(); err != nil {
		return 0, nil, 0, err
	}
	slot, life, generation, _ = d.slots.Take()
	return slot, life, generation, nil
}

// sweep frees the slots that both sides have left.
func (d *dialing) sweep() {
	d.slots.Sweep(func(slot uint32, life *stream.Life, generation uint64) bool {
		number, _ := d.blockOf(slot)
		ended := false
		err := d.blocks[number].view.Guard(func() error {
			ended = life.Ended(generation)
			return nil
		})
		return ended || err != nil
	})
}

func (d *dialing) addBlock() error {
	number := len(d.blocks)
	if number == blocksMost || d.slots.Len()+blockSlots(number, d.segment.Shape.Capacity) >= stream.Most {
		return errManyStreams
	}
	d.serial++
	b, err := d.makeBlock(number, d.serial, segment.Create)
	if err != nil {
		return err
	}
	d.blocks, d.met = append(d.blocks, b), append(d.met, false)
	for i := range b.slots {
		d.slots.Add(&b.slots[i].life)
	}
	return d.tellBlocks()
}

// errManyStreams is an [object.ErrNoSpace].
var errManyStreams = object.Explain(object.ErrNoSpace, "too many connections between two processes: the limit is 1024 blocks of them, and 16383")

// trim closes the blocks at the end that have no streams, except for the first.
func (d *dialing) trim() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sweep()
	used := 0
	if end := d.slots.End(); end > 0 {
		used, _ = d.blockOf(uint32(end - 1))
	}
	for len(d.blocks) > used+1 {
		last := len(d.blocks) - 1
		b := d.blocks[last]
		d.slots.Cut(d.slots.Len() - len(b.slots))
		d.blocks, d.met = d.blocks[:last], d.met[:last]
		_ = d.tellBlocks()
		_ = b.close()
	}
}

// tellBlocks says which blocks there are: the accepter closes others.
func (d *dialing) tellBlocks() error {
	return d.segment.View.Guard(func() error {
		last := len(d.blocks) - 1
		atomic.StoreUint32(&d.serials[last], d.blocks[last].serial)
		step.Here()
		atomic.StoreUint64(&d.words.blocks, uint64(len(d.blocks)))
		return nil
	})
}

// ask writes a request, for which there is room.
func (d *dialing) ask(r request) error {
	return d.segment.View.Guard(func() error {
		asked := atomic.LoadUint64(&d.words.asked)
		step.Here()
		d.requests[asked%requestMost] = r
		step.Here()
		atomic.StoreUint64(&d.words.asked, asked+1)
		return nil
	})
}

// awaitRoom waits until the Listener has room for a connection.
func (d *dialing) awaitRoom(ctx context.Context) error {
	defer d.clearWaits()
	for last := false; ; {
		gone := d.gone.Load() != nil || !d.door.isOpen() // before the look
		room, err := d.hasRoom()
		switch {
		case err != nil:
			return err
		case gone:
			return errNobody
		case room:
			return nil
		case last:
			return context.Cause(ctx)
		}
		if err := d.prepareRoom(); err != nil {
			return err
		}
		if room, err = d.hasRoom(); room || err != nil {
			continue
		}
		if err := d.waiters.Wait(ctx, &d.dials.In); err != nil {
			if last = ctx.Err() != nil; !last {
				return err
			}
		}
	}
}

// hasRoom reports whether the Listener has room for the requests that it has not taken,
// and another one.
func (d *dialing) hasRoom() (room bool, err error) {
	free, err := d.door.free()
	if err != nil {
		return false, err
	}
	err = d.segment.View.Guard(func() error {
		waiting := atomic.LoadUint64(&d.words.asked) - atomic.LoadUint64(&d.words.taken)
		room = waiting < min(free, requestMost)
		return nil
	})
	return room, err
}

// prepareRoom says that a Dial waits for room.
func (d *dialing) prepareRoom() error {
	err := d.segment.View.Guard(func() error {
		ring.Store(&d.words.waits, 1)
		return nil
	})
	return errors.Join(err, d.door.prepare())
}

func (d *dialing) clearWaits() {
	_ = d.segment.View.Guard(func() error {
		if atomic.LoadUint64(&d.words.waits) != 0 {
			ring.Store(&d.words.waits, 0)
		}
		return nil
	})
}

// leave gives a slot up.
func (d *dialing) leave(slot uint32) {
	d.mu.Lock()
	d.waiters.Remove(slot)
	number, _ := d.blockOf(slot)
	_ = d.blocks[number].view.Guard(func() error {
		d.slots.Leave(slot)
		return nil
	})
	d.mu.Unlock()
	dialed.exit(d)
}

// awaitAccepted waits until the accepter has the stream. A Listener that was closed
// before it could see the request does not answer.
func (d *dialing) awaitAccepted(ctx context.Context, c *Conn) error {
	decision, err := stream.Undecided, errNobody
	if d.door.isOpen() {
		decision, err = d.awaitDecision(ctx, c)
	}
	if err != nil { // it may be accepted in the last moment
		_ = c.touch(func() { decision, _ = c.life().Decide(c.generation, stream.GivenUp) })
	}
	switch {
	case decision == stream.Accepted:
		d.meetBlock(c.slot)
		return nil
	case !d.door.isOpen() || errors.Is(err, ErrPeerGone):
		return errNobody
	case decision == stream.Refused:
		return errRefused
	}
	return err
}

func (d *dialing) awaitDecision(ctx context.Context, c *Conn) (decision stream.Decision, err error) {
	ctx, stop := lasting(ctx, takeTime)
	defer stop()
	err = c.attempt(&c.in, ctx, func() (ring.Attempt, error) {
		var err error
		if decision, err = c.life().Decision(c.generation); err != nil || decision == stream.Undecided {
			return ring.Empty, err
		}
		return ring.Done, nil
	})
	return decision, err
}

// meetBlock notes that the accepter has the block of a slot open.
func (d *dialing) meetBlock(slot uint32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	number, _ := d.blockOf(slot)
	d.met[number] = true
}
