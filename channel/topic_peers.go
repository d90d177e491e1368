package channel

import (
	"context"
	"errors"
	"math/bits"
	"os"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/filemap-go/filemap/internal/step"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// peers are the objects of other places that a publisher needs: the bell of
// each subscriber, because one bell for all would wake only one of them, and the
// mutexes that tell who lives. They are opened when first needed, and kept: as
// long as they are, whoever comes to a place later has the same ones.
type peers struct {
	segment *segment
	opening sync.Mutex
	closed  bool
	bells   [placesMost]*waitable.Event
	mutexes [placesMost]*waitable.Mutex
}

// dataBell returns what follows the topic's name in that of the event which
// rings for the subscriber of a place.
func dataBell(number uint16) string { return "~data" + strconv.Itoa(int(number)) }

// ring wakes the subscriber of a place. If that fails, it looks by itself
// before long.
func (p *peers) ring(number uint16) {
	p.opening.Lock()
	defer p.opening.Unlock()
	if p.closed || uint32(number) > p.segment.shape.places {
		return
	}
	event := &p.bells[number-1]
	if *event == nil {
		opened, err := waitable.OpenEvent(p.segment.name + dataBell(number))
		if err != nil {
			return
		}
		*event = opened
	}
	_ = (*event).Set()
}

// mutex returns the mutex of a place: it is free unless who has the place lives.
func (p *peers) mutex(number uint16) (*waitable.Mutex, error) {
	p.opening.Lock()
	defer p.opening.Unlock()
	switch {
	case p.closed:
		return nil, os.ErrClosed
	case number == 0 || uint32(number) > p.segment.shape.places:
		return nil, object.ErrCorrupt
	}
	mutex := &p.mutexes[number-1]
	if *mutex == nil {
		opened, _, err := waitable.OpenOrCreateMutex(p.segment.placeName(number),
			&waitable.MutexOptions{Security: p.segment.security})
		if err != nil {
			return nil, err
		}
		*mutex = opened
	}
	return *mutex, nil
}

// Close closes what was opened.
func (p *peers) Close() (err error) {
	p.opening.Lock()
	defer p.opening.Unlock()
	p.closed = true
	for i := range p.bells {
		if p.bells[i] != nil {
			err = errors.Join(err, p.bells[i].Close())
		}
		if p.mutexes[i] != nil {
			err = errors.Join(err, p.mutexes[i].Close())
		}
	}
	return err
}

// sleeping returns who sleeps, and that they are being woken: each one says so
// again before it sleeps again.
func (s *series) sleeping() (who sleepers) {
	for i := range who {
		step.Here()
		if word := &s.bells.data[i]; atomic.LoadUint64(word) != 0 {
			who[i] = atomic.SwapUint64(word, 0)
		}
	}
	return who
}

// wake wakes subscribers. Opening a bell takes long, so the caller has let go
// of the end.
func (t *Topic) wake(who sleepers) {
	for i, word := range who {
		for ; word != 0; word &= word - 1 {
			t.peers.ring(uint16(64*i+bits.TrailingZeros64(word)) + 1)
		}
	}
}

func (t *Topic) wakePublishers() {
	if t.sending.bell.wanted() {
		t.sending.bell.ring()
	}
}

// wait waits until it is worth trying again after an attempt that came to
// nothing because of what another place does.
func (t *Topic) wait(ctx context.Context, p *patience, a attempt) error {
	p.busy = a.result() == taken
	switch {
	case a.result() == taken && a.owner() == 0: // another publisher was faster
		return p.again(ctx)
	case !p.lying && (p.looks%looksAtOwner == looksAtOwner-1 || p.last == 1):
		if dead, err := t.bury(a.owner()); dead || err != nil {
			return err
		}
		fallthrough
	case !p.lying || a.owner() == t.member.number:
		_, err := p.wait(ctx, nil)
		return err
	}
	mutex, err := t.peers.mutex(a.owner())
	if err != nil {
		return err
	}
	hold, err := p.wait(ctx, mutex)
	if err == nil && hold != (waitable.Hold{}) {
		err = errors.Join(t.releaseDead(a.owner()), hold.Unlock())
	}
	return err
}

// bury frees what a place has if nobody holds it, and reports whether it did.
func (t *Topic) bury(number uint16) (dead bool, err error) {
	mutex, err := t.peers.mutex(number)
	if err != nil {
		return false, err
	}
	hold, dead, err := mutex.TryLock()
	if err != nil || !dead {
		return false, err
	}
	return true, errors.Join(t.releaseDead(number), hold.Unlock())
}

// releaseDead frees what a place has. The caller holds its mutex.
func (t *Topic) releaseDead(number uint16) error {
	return t.view.Guard(func() error {
		t.series.release(number)
		step.Here()
		atomic.StoreUint64(&t.series.places[number-1].process, 0)
		return nil
	})
}
