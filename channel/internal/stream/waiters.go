package stream

import (
	"context"
	"sync"
	"sync/atomic"
)

// Bell is what one goroutine of a process sleeps on.
type Bell interface {
	// Sleep returns nil when the bell was rung, or may have been. Otherwise it
	// returns the context's cause, or why it can't sleep.
	Sleep(ctx context.Context) error

	// Ring wakes the goroutine of this process that sleeps.
	Ring()
}

// Waiters are the goroutines of one process that wait for streams of a session. One of
// them leads: it sleeps on the bell, and hands the news on. When its own news comes it
// passes the lead to another. So a process sleeps once, however many of its goroutines
// wait, and one that waits alone is woken directly.
type Waiters struct {
	news *News // of this side
	bell Bell

	// What runs under the guard, made once.
	prepareSleep, cancelSleep, hand func() error

	lead   chan struct{} // has one element, which the leader takes out
	leader atomic.Pointer[Waiter]
	some   bool // the leader's: there was news after prepareSleep

	mu      sync.Mutex
	streams map[uint32]*Stream
}

// Stream is where goroutines of this process wait for one stream.
type Stream struct{ In, Out Waiter }

// Waiter is where a goroutine waits for one direction of a stream: one at a time.
type Waiter struct{ told chan struct{} }

// NewWaiters returns the waiters of a side. All that touches the news runs under guard.
func NewWaiters(news *News, bell Bell, guard func(func() error) error) *Waiters {
	w := &Waiters{
		news: news, bell: bell,
		lead: make(chan struct{}, 1), streams: make(map[uint32]*Stream),
	}
	guarded := func(f func()) func() error {
		run := func() error {
			f()
			return nil
		}
		return func() error { return guard(run) }
	}
	w.prepareSleep = guarded(func() {
		w.news.PrepareSleep()
		w.some = w.news.Take(w.tell)
	})
	w.cancelSleep = guarded(w.news.CancelSleep)
	w.hand = guarded(func() { w.news.Take(w.tell) })
	w.lead <- struct{}{}
	return w
}

// Add adds the stream of a slot. It returns nil if the slot has one.
func (w *Waiters) Add(slot uint32) *Stream {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.streams[slot] != nil {
		return nil
	}
	s := &Stream{In: Waiter{make(chan struct{}, 1)}, Out: Waiter{make(chan struct{}, 1)}}
	w.streams[slot] = s
	return s
}

// Remove removes the stream of a slot, and reports how many are left.
func (w *Waiters) Remove(slot uint32) (left int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.streams, slot)
	return len(w.streams)
}

// Len returns how many streams there are.
func (w *Waiters) Len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.streams)
}

// End returns the number after that of the last slot below a limit that has a stream.
func (w *Waiters) End(limit uint32) (end uint32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for slot := range w.streams {
		if slot < limit {
			end = max(end, slot+1)
		}
	}
	return end
}

// Wait returns when there was news of a waiter's stream, or may have been. A caller that
// waits for a change sets its flag, looks for the change once more, and then waits.
func (w *Waiters) Wait(ctx context.Context, me *Waiter) error {
	select {
	case <-me.told:
		return nil
	default:
	}
	select {
	case <-w.lead:
	default: // a select of all takes longer
		select {
		case <-w.lead:
		case <-me.told:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	defer w.passLead()
	return w.leadFor(ctx, me)
}

// leadFor leads until there is news for one of the waiters.
func (w *Waiters) leadFor(ctx context.Context, me *Waiter) error {
	w.leader.Store(me)
	for {
		select {
		case <-me.told:
			return nil
		default:
		}
		if ctx.Err() != nil { // a hostile side may bring news without end
			return context.Cause(ctx)
		}
		if err := w.sleep(ctx); err != nil {
			return err
		}
	}
}

// sleep sleeps until there is news, and hands it on.
func (w *Waiters) sleep(ctx context.Context) error {
	if err := w.prepareSleep(); err != nil || w.some {
		return err
	}
	if err := w.bell.Sleep(ctx); err != nil {
		return err
	}
	return w.hand()
}

// passLead passes the lead to one of the others, if there is one.
func (w *Waiters) passLead() {
	w.leader.Store(nil)
	_ = w.cancelSleep()
	w.lead <- struct{}{}
}

// tell tells the waiters of a slot, which may be any number.
func (w *Waiters) tell(slot uint32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.streams[slot]; s != nil {
		s.tell()
	}
}

func (s *Stream) tell() {
	for _, waiter := range [...]*Waiter{&s.In, &s.Out} {
		select {
		case waiter.told <- struct{}{}:
		default: // it was told before
		}
	}
}

// Wake is for a change that this process itself has made to a stream.
func (w *Waiters) Wake(s *Stream) {
	s.tell()
	if leader := w.leader.Load(); leader == &s.In || leader == &s.Out {
		w.bell.Ring()
	}
}

// WakeAll is Wake for all streams.
func (w *Waiters) WakeAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.streams {
		s.tell()
	}
	w.bell.Ring()
}
