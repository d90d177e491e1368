package channel

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

// peers are the other places of a channel, as one handle sees them. They alone
// have those places' objects: the mutexes that tell which processes live, and the
// bells of subscribers, because one bell for all would wake only one of them.
//
// The objects are opened when first needed, and kept: as long as they are, a
// handle that takes the place later has the same ones.
type peers struct {
	segment *segment
	release func(number uint16) // frees what a dead place has: the kind's own

	opening sync.Mutex // for all below
	closed  bool
	bells   map[uint16]*waitable.Event
	mutexes map[uint16]*waitable.Mutex
}

// start says how to free what a place has, and frees what the process had that
// had this handle's place before: it may have died.
func (p *peers) start(release func(number uint16)) error {
	p.release = release
	return p.segment.view.Guard(func() error {
		release(p.segment.member.number)
		return nil
	})
}

// wait waits until it is worth trying again after an attempt that was not done.
// It frees what a place in the way has, or another that the wait is about, once its
// process is dead.
func (p *peers) wait(ctx context.Context, w *patience, a ring.Attempt) error {
	w.busy = a.Result() == ring.Taken
	owner := a.Owner()
	if err := p.check(owner); err != nil {
		return err
	}
	if owner == 0 && w.busy { // it was another's just before
		return w.again(ctx)
	}
	switch {
	case w.asleep:
		return p.sleep(ctx, w, w.watched(owner))
	case w.tries%triesPerReap == triesPerReap-1 || w.last == 1:
		if dead, err := p.reapAny(w.watched(owner)); dead || err != nil {
			return err
		}
	}
	_, _, err := w.wait(ctx, nil)
	return err
}

// triesPerReap is how many tries there are between two at whether
// the place in the way is dead, for a wait that spins.
const triesPerReap = 1 << 12

// watched returns the places whose death is to end the wait.
func (p *patience) watched(owner uint16) (who ring.Sleepers) {
	if p.others != nil {
		who = p.others()
	}
	if owner != 0 {
		who = who.With(owner)
	}
	return who
}

// sleep sleeps until the bell rings, or one of the places watched is dead. If
// those are more than can be watched, each handle watches those after itself.
func (p *peers) sleep(ctx context.Context, w *patience, watched ring.Sleepers) error {
	var numbers [watchMost]uint16
	var mutexes [watchMost]*waitable.Mutex
	n := 0
	for number := range p.among(watched) {
		mutex, err := p.mutex(number)
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
func (p *peers) among(who ring.Sleepers) iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		own := p.segment.member.number
		for i := range uint16(placesMost - 1) {
			number := (own+i)%placesMost + 1
			if who.Has(number) && !yield(number) {
				return
			}
		}
	}
}

// reapAny is reap for some places.
func (p *peers) reapAny(who ring.Sleepers) (dead bool, err error) {
	for number := range p.among(who) {
		reaped, err := p.reap(number)
		if dead = dead || reaped; err != nil {
			return dead, err
		}
	}
	return dead, nil
}

// once tries without waiting, except while another place is in the middle of a
// copy.
func (p *peers) once(try func() (ring.Attempt, error)) (a ring.Attempt, err error) {
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
		if dead, err := p.reap(a.Owner()); err != nil || !dead && a.Result() == ring.Full {
			return a, err
		}
	}
	return a, nil
}

// copyTries is how often to try before another place that has an end seems to
// keep it, or to be dead.
const copyTries = 100

// reap frees what another place has if its process is dead, and reports whether
// it is.
func (p *peers) reap(number uint16) (dead bool, err error) {
	if number == 0 || number == p.segment.member.number {
		return false, nil
	}
	mutex, err := p.mutex(number)
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
func (p *peers) bury(number uint16, hold waitable.Hold) error {
	places, err := p.segment.places()
	if err == nil {
		err = p.segment.view.Guard(func() error {
			p.release(number)
			step.Here()
			atomic.StoreUint64(&places[number-1].Process, 0)
			return nil
		})
	}
	return errors.Join(err, hold.Unlock())
}

// exist reports whether another place is a live process's.
func (p *peers) exist() (bool, error) {
	places, err := p.segment.places()
	if err != nil {
		return false, err
	}
	for i := range places {
		number := uint16(i + 1)
		if number == p.segment.member.number || !p.isUsed(&places[i]) {
			continue
		}
		if dead, err := p.reap(number); err != nil || !dead {
			return err == nil, err
		}
	}
	return false, nil
}

func (p *peers) isUsed(place *ring.Place) (used bool) {
	_ = p.segment.view.Guard(func() error {
		used = atomic.LoadUint64(&place.Process) != 0
		return nil
	})
	return used
}

// check returns an error unless a number that was in the memory is a place's, or
// 0.
func (p *peers) check(number uint16) error {
	if places := p.segment.shape.places; uint32(number) > places {
		return object.Explain(object.ErrCorrupt,
			fmt.Sprintf("the memory names place %d, and there are %d", number, places))
	}
	return nil
}

// mutex returns the mutex of a place: a live process holds it.
func (p *peers) mutex(number uint16) (*waitable.Mutex, error) {
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
	mutex, _, err := waitable.OpenOrCreateMutex(p.segment.placeName(number),
		&waitable.MutexOptions{Security: p.segment.security})
	if err != nil {
		return nil, err
	}
	p.keep(number, mutex)
	return mutex, nil
}

// keep keeps the mutex of a place.
func (p *peers) keep(number uint16, mutex *waitable.Mutex) {
	if p.mutexes == nil {
		p.mutexes = make(map[uint16]*waitable.Mutex)
	}
	p.mutexes[number] = mutex
}

// drop closes the mutex of a place that is not needed any more.
func (p *peers) drop(number uint16) error {
	p.opening.Lock()
	defer p.opening.Unlock()
	mutex := p.mutexes[number]
	if mutex == nil {
		return nil
	}
	delete(p.mutexes, number)
	return mutex.Close()
}

// wake wakes subscribers. Opening a bell takes long, so the caller no longer has
// the end.
func (p *peers) wake(who ring.Sleepers) {
	for i, word := range who {
		for ; word != 0; word &= word - 1 {
			p.ring(uint16(64*i+bits.TrailingZeros64(word)) + 1)
		}
	}
}

// ring wakes the subscriber of a place. If that fails, the subscriber tries by
// itself before long.
func (p *peers) ring(number uint16) {
	p.opening.Lock()
	defer p.opening.Unlock()
	if p.closed || p.check(number) != nil {
		return
	}
	event := p.bells[number]
	if event == nil {
		opened, err := waitable.OpenEvent(p.segment.name + dataBell(number))
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

// dataBell returns what follows the channel's name in that of the event which
// rings for the subscriber of a place.
func dataBell(number uint16) string { return "~data" + strconv.Itoa(int(number)) }

// Close closes what was opened.
func (p *peers) Close() (err error) {
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
