package objmgr

import (
	"context"
	"sync"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/object"
)

// A wait looks, marks the state so that whoever changes it wakes it, and
// parks. Being woken only means to look again: a signal is taken by a
// compare-and-swap, never handed over, so it can't be lost with a process that
// is killed while it wakes up. For the same reason all are woken, not one.
//
// The end of its context only wakes a wait, too. A wait fails after a look that
// began when its context had ended.

// Wait takes the object as soon as it is signaled.
func (s *Sync) Wait(ctx context.Context) (Taken, error) {
	since := pulses(s.load())
	if err := s.usable(); err != nil {
		return Taken{}, err
	}
	if got, v := s.try(since); v == taken {
		return got, nil
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done(): // the last look needs no turn
	}
	if got, ok := s.spin(since); ok {
		return got, nil
	}
	_, got, err := s.m.any(ctx, []*Sync{s}, []uint32{since})
	return got, err
}

// TryWait takes the object if it is signaled now.
func (s *Sync) TryWait() (got Taken, ok bool, err error) {
	for c := (contention{}); ; {
		if err := s.usable(); err != nil {
			return Taken{}, false, err
		}
		got, v := s.try(pulses(s.load()))
		if v == unsignaled && recoverPermits([]*Sync{s}) {
			continue
		}
		if v == unidentified {
			if err := s.identify(); err != nil {
				return Taken{}, false, err
			}
			continue
		}
		if v != claimed {
			return got, v == taken, nil
		}
		if err := s.contendFor(busyTime, &c); err != nil {
			return Taken{}, false, err
		}
	}
}

// WaitAny takes the first of the objects that is signaled, and returns which.
// If ctx is done it does not wait, but takes what is signaled now.
func (m *Manager) WaitAny(ctx context.Context, objects []*Sync) (int, Taken, error) {
	var few [8]uint32 // a wait for so many allocates nothing
	since := few[:0]
	for _, s := range objects {
		since = append(since, pulses(s.load()))
	}
	return m.any(ctx, objects, since)
}

func (m *Manager) any(ctx context.Context, objects []*Sync, since []uint32) (int, Taken, error) {
	recovered := false
	for c := (contention{}); ; {
		// Before the look: what is signaled before ctx ends is not missed.
		ended := ctx.Err() != nil
		i, got, v, err := firstSignaled(objects, since)
		switch {
		case err != nil:
			return 0, Taken{}, err
		case v == taken:
			return i, got, nil
		case v == unidentified:
			if err := objects[i].identify(); err != nil {
				return 0, Taken{}, err
			}
			continue
		case v == claimed && !(ended && c.paused >= lastLook):
			if err := objects[i].contend(&c); err != nil {
				return 0, Taken{}, err
			}
			continue
		case ended && !recovered && recoverPermits(objects):
			recovered = true
			continue
		case ended:
			return 0, Taken{}, objects[i].claimedBy(context.Cause(ctx))
		}
		c = contention{}
		m.park(ctx, objects, since)
	}
}

// recoverPermits gives back the permits of the dead. It reports whether there
// were any.
func recoverPermits(objects []*Sync) (found bool) {
	for _, s := range objects {
		found = s.ledger != nil && s.ledger.recover() || found
	}
	return found
}

// firstSignaled takes the first object that is signaled, or returns it if its handle
// is unidentified. If there is none but one is claimed, it returns that one.
func firstSignaled(objects []*Sync, since []uint32) (index int, got Taken, v verdict, err error) {
	for i, s := range objects {
		if err := s.usable(); err != nil {
			return i, Taken{}, unsignaled, err
		}
		switch got, one := s.try(since[i]); one {
		case taken:
			return i, got, taken, nil
		case unidentified:
			return i, Taken{}, unidentified, nil
		case claimed:
			index, v = i, claimed
		}
	}
	return index, Taken{}, v, nil
}

// park sleeps until one of the objects may be signaled. If it was not woken, or
// not for a while, it looks whether somebody died.
func (m *Manager) park(ctx context.Context, objects []*Sync, since []uint32) {
	p := parkings.Get().(*parking)
	defer p.keep()
	until := int64(0)
	for i, s := range objects {
		word, wake, ready := s.arm(since[i])
		if ready {
			return
		}
		p.words = append(p.words, word)
		if wake != 0 && (until == 0 || wake < until) {
			until = wake
		}
	}
	m.host.Park(ctx, p.words, until)
	for i, s := range objects {
		if s.load().Low() == p.words[i].Low {
			p.unchanged = append(p.unchanged, s)
		}
	}
	woken := len(p.unchanged) < len(objects)
	for _, s := range p.unchanged {
		if !woken || s.lookDue() {
			s.lookAfter()
		}
	}
}

// parking is what it takes to park, kept for the next time.
type parking struct {
	words     []Parked
	unchanged []*Sync
}

var parkings = sync.Pool{New: func() any { return new(parking) }}

func (p *parking) keep() {
	clear(p.words)
	clear(p.unchanged)
	p.words, p.unchanged = p.words[:0], p.unchanged[:0]
	parkings.Put(p)
}

// lookAfter looks whether somebody who has the object has died.
func (s *Sync) lookAfter() {
	s.repair()
	if s.ledger != nil {
		s.ledger.recover()
	}
}

// lookDue reports whether it is time for a wait to look after an object although
// another one woke it. One that is woken often would else make a system call
// each time, to learn that the owner of a mutex lives.
func (s *Sync) lookDue() bool {
	const often = 100e6
	now, last := s.m.host.Now(ClockMonotonic), s.looked.Load()
	return now-last >= often && s.looked.CompareAndSwap(last, now)
}

// arm marks the state so that whoever signals the object wakes this process.
// It reports ready if the object may be signaled already.
func (s *Sync) arm(since uint32) (word Parked, wake int64, ready bool) {
	s.waited.Store(true)
	for range stateAttempts {
		old := s.load()
		died := s.kind == object.Mutex && old.Has(layout.MutexDied)
		if died || s.signaled(old, since) || s.isClaimed(old) {
			return Parked{}, 0, true
		}
		if s.kind == object.Timer {
			wake = s.wakeTime()
		}
		if s.kind == object.Mutex && old.Low()&layout.MutexOwner == layout.OwnerUnknown {
			wake = s.m.host.Now(ClockMonotonic) + ownerLook
		}
		next := old.With(layout.StateWaiters)
		if old == next && s.load() == old || old != next && s.swap(old, next) {
			if s.closed.Load() { // Close looks for the mark after it has said so
				return Parked{}, 0, true
			}
			watchful := s.kind == object.Mutex || s.kind == object.Job || s.ledger != nil
			return Parked{Page: s.page, Low: next.Low(), Watchful: watchful}, wake, false
		}
	}
	return Parked{}, 0, true
}

// ownerLook is how often, in nanoseconds, a wait looks after an owner whose
// death the system will not tell.
const ownerLook = 25e6
