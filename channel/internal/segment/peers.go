package segment

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/bits"
	"os"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/internal/step"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// Peers are the other places of a channel, as one handle sees them. They alone
// have those places' objects: the mutexes that tell which processes live, and the
// bells of subscribers, because one bell for all would wake only one of them.
//
// The objects are opened when first needed, and kept: as long as they are, a
// handle that takes the place later has the same ones.
type Peers struct {
	segment *Segment
	release func(number uint16) // frees what a dead place has: the kind's own

	opening sync.Mutex // for all below
	closed  bool
	bells   map[uint16]*waitable.Event
	mutexes map[uint16]*waitable.Mutex
}

// Start says how to free what a place has, and frees what the process had that
// had this handle's place before: it may have died.
func (p *Peers) Start(release func(number uint16)) error {
	p.release = release
	return p.segment.View.Guard(func() error {
		release(p.segment.Member.Number)
		return nil
	})
}

// Wait waits until it is worth trying again after an attempt that was not done.
// It frees what a place in the way has, or another that the wait is about, once its
// process is dead.
func (p *Peers) Wait(ctx context.Context, w *Patience, a ring.Attempt) error {
	w.busy = a.Result() == ring.Taken
	owner := a.Owner()
	if err := p.check(owner); err != nil {
		return err
	}
	if owner == 0 && w.busy { // it was another's just before
		return w.Again(ctx)
	}
	switch {
	case w.Asleep:
		return p.sleep(ctx, w, w.watched(owner))
	case w.tries%triesPerReap == triesPerReap-1 || w.last == 1:
		if dead, err := p.ReapAny(w.watched(owner)); dead || err != nil {
			return err
		}
	}
	_, _, err := w.wait(ctx, nil)
	return err
}

// triesPerReap is after how many tries a wait that spins looks whether the place in
// the way is dead.
const triesPerReap = 1 << 12

// sleep sleeps until the bell rings, or one of the places watched is dead. If
// those are more than can be watched, each handle watches those after itself.
func (p *Peers) sleep(ctx context.Context, w *Patience, watched ring.Sleepers) error {
	var numbers [watchMost]uint16
	var mutexes [watchMost]*waitable.Mutex
	n := 0
	for number := range p.among(watched) {
		mutex, err := p.Mutex(number)
		if err != nil {
			return err
		}
		numbers[n], mutexes[n] = number, mutex
		if n++; n == watchMost {
			break
		}
	}
	at, hold, err := w.wait(ctx, mutexes[:n])
	if err != nil || hold == (waitable.Hold{}) {
		return err
	}
	return p.bury(numbers[at], hold)
}

// among returns the other places' numbers in a set, from the one after this
// handle's on.
func (p *Peers) among(who ring.Sleepers) iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		own := p.segment.Member.Number
		for i := range uint16(placesMost - 1) {
			number := (own+i)%placesMost + 1
			if who.Has(number) && !yield(number) {
				return
			}
		}
	}
}

// ReapAny is Reap for some places.
func (p *Peers) ReapAny(who ring.Sleepers) (dead bool, err error) {
	for number := range p.among(who) {
		reaped, err := p.Reap(number)
		if dead = dead || reaped; err != nil {
			return dead, err
		}
	}
	return dead, nil
}

// Once tries without waiting, except while another place is in the middle of a
// copy.
func (p *Peers) Once(try func() (ring.Attempt, error)) (a ring.Attempt, err error) {
	for i := range copyTries + placesMost { // each place's process may be dead
		if a, err = try(); a == ring.Done {
			return a, err
		}
		if err == nil {
			err = p.check(a.Owner())
		}
		switch {
		case err != nil || a == ring.Empty:
			return a, err
		case a.Owner() == 0 || a.Result() == ring.Taken && i%copyTries != copyTries-2:
			continue
		}
		if dead, err := p.Reap(a.Owner()); err != nil || !dead && a.Result() == ring.Full {
			return a, err
		}
	}
	return a, nil
}

// copyTries is how often to try before another place that has an end seems to
// keep it, or to be dead.
const copyTries = 100

// Reap frees what another place has if its process is dead, and reports whether
// it is.
func (p *Peers) Reap(number uint16) (dead bool, err error) {
	if number == 0 || number == p.segment.Member.Number {
		return false, nil
	}
	mutex, err := p.Mutex(number)
	if err != nil {
		return false, err
	}
	hold, dead, err := mutex.TryLock()
	if err != nil || !dead {
		return false, err
	}
	return true, p.bury(number, hold)
}

// bury frees what a place has whose process is dead. The hold is that of the
// place's mutex.
func (p *Peers) bury(number uint16, hold waitable.Hold) error {
	places, err := p.segment.Places()
	if err == nil {
		err = p.segment.View.Guard(func() error {
			p.release(number)
			step.Here()
			atomic.StoreUint64(&places[number-1].Process, 0)
			return nil
		})
	}
	return errors.Join(err, hold.Unlock())
}

// Exist reports whether another place is a live process's.
func (p *Peers) Exist() (bool, error) {
	places, err := p.segment.Places()
	if err != nil {
		return false, err
	}
	for i := range places {
		number := uint16(i + 1)
		if number == p.segment.Member.Number || !p.isUsed(&places[i]) {
			continue
		}
		if dead, err := p.Reap(number); err != nil || !dead {
			return err == nil, err
		}
	}
	return false, nil
}

func (p *Peers) isUsed(place *ring.Place) (used bool) {
	_ = p.segment.View.Guard(func() error {
		used = atomic.LoadUint64(&place.Process) != 0
		return nil
	})
	return used
}

// check returns an error unless a number that was in the memory is a place's, or
// 0.
func (p *Peers) check(number uint16) error {
	if places := p.segment.Shape.places; uint32(number) > places {
		return object.Explain(object.ErrCorrupt,
			fmt.Sprintf("the memory names place %d, and there are %d", number, places))
	}
	return nil
}

// Mutex returns the mutex of a place: a live process holds it.
func (p *Peers) Mutex(number uint16) (*waitable.Mutex, error) {
	if err := p.check(number); err != nil {
		return nil, err
	}
	p.opening.Lock()
	defer p.opening.Unlock()
	if p.closed {
		return nil, os.ErrClosed
	}
	if mutex := p.mutexes[number]; mutex != nil {
		return mutex, nil
	}
	mutex, _, err := waitable.OpenOrCreateMutex(p.segment.PlaceName(number),
		&waitable.MutexOptions{Security: p.segment.Security})
	if err != nil {
		return nil, err
	}
	if p.mutexes == nil {
		p.mutexes = make(map[uint16]*waitable.Mutex)
	}
	p.mutexes[number] = mutex
	return mutex, nil
}

// Wake wakes subscribers. Opening a bell takes long, so the caller no longer has
// the end.
func (p *Peers) Wake(who ring.Sleepers) {
	for i, word := range who {
		for ; word != 0; word &= word - 1 {
			p.ring(uint16(64*i+bits.TrailingZeros64(word)) + 1)
		}
	}
}

// ring wakes the subscriber of a place. If that fails, the subscriber tries by
// itself before long.
func (p *Peers) ring(number uint16) {
	p.opening.Lock()
	defer p.opening.Unlock()
	if p.closed || p.check(number) != nil {
		return
	}
	event := p.bells[number]
	if event == nil {
		opened, err := waitable.OpenEvent(p.segment.Name + DataBell(number))
		if err != nil {
			return
		}
		if p.bells == nil {
			p.bells = make(map[uint16]*waitable.Event)
		}
		p.bells[number], event = opened, opened
	}
	_ = event.Set()
}

// DataBell returns what follows the channel's name in that of the event which
// rings for the subscriber of a place.
func DataBell(number uint16) string { return "~data" + strconv.Itoa(int(number)) }

// Close closes what was opened.
func (p *Peers) Close() (err error) {
	p.opening.Lock()
	defer p.opening.Unlock()
	p.closed = true
	for _, event := range p.bells {
		err = errors.Join(err, event.Close())
	}
	for _, mutex := range p.mutexes {
		err = errors.Join(err, mutex.Close())
	}
	return err
}
