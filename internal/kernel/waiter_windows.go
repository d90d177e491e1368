package kernel

import (
	"context"
	"runtime"
	"slices"
	"sync"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// A waiter is a thread that waits for the objects of many goroutines, as many
// as the system allows. Who changes what it is to wait for pokes it.
type waiter struct {
	poke    sys.Handle // an event
	entries []waiterEntry
}

// waiterSize leaves room for the poke.
const waiterSize = sys.MAXIMUM_WAIT_OBJECTS - 1

// waiterEntry is one of the objects that a goroutine waits for.
type waiterEntry struct {
	sync    *Sync
	index   int
	request *request
}

// request is what one goroutine waits for.
type request struct {
	waiter   *waiter
	canceled bool // the goroutine asks for an end
	answered bool
	answer   chan answer // has room for it
}

type answer struct {
	index int
	err   error
}

// errEnded answers a request that was canceled.
var errEnded = context.Canceled

// waiters are all there are. A mutex for all is enough: it is held for
// moments.
var waiters waiterPool

type waiterPool struct {
	mu  sync.Mutex
	all []*waiter
}

// wait waits for one of the objects, none of them a mutex.
func (p *waiterPool) wait(ctx context.Context, objects []*Sync) (int, error) {
	r := &request{answer: make(chan answer, 1)}
	if err := p.add(r, objects); err != nil {
		return 0, err
	}
	select {
	case a := <-r.answer:
		return a.index, a.err
	case <-ctx.Done():
	}
	p.cancel(r)
	a := <-r.answer
	if a.err != errEnded {
		return a.index, a.err
	}
	i, err := poll(objects) // the waiter may have been busy with others
	if err == errNotSignaled {
		err = context.Cause(ctx)
	}
	return i, err
}

// add gives the objects to a waiter with room for all, which may be a new one.
func (p *waiterPool) add(r *request, objects []*Sync) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range slices.Backward(p.all) { // the newest has room most often
		if len(w.entries)+len(objects) <= waiterSize {
			w.add(r, objects)
			return sys.SetEvent(w.poke)
		}
	}
	w := new(waiter)
	var err error
	if w.poke, err = sys.CreateEvent(nil, false, false, ""); err != nil {
		return err
	}
	p.all = append(p.all, w)
	w.add(r, objects)
	go w.live()
	return nil
}

func (w *waiter) add(r *request, objects []*Sync) {
	r.waiter = w
	for i, s := range objects {
		w.entries = append(w.entries, waiterEntry{s, i, r})
	}
}

// cancel has the request answered, if need be with errEnded. Only the waiter
// knows when its wait can no longer take one of the objects.
func (p *waiterPool) cancel(r *request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r.canceled = true
	if !r.answered {
		_ = sys.SetEvent(r.waiter.poke)
	}
}

// live waits until there is nothing left to wait for.
func (w *waiter) live() {
	var armed []waiterEntry
	var handles []sys.Handle
	for w.arm(&armed) {
		handles = handles[:0]
		for _, e := range armed {
			handles = append(handles, e.sync.handle)
		}
		handles = append(handles, w.poke)
		event, err := sys.WaitForMultipleObjects(handles, false, sys.INFINITE, false)
		w.handOff(armed, int(event), err)
		// The goroutines that were handed off are to run on this thread's
		// processor before it blocks.
		runtime.Gosched()
	}
	sys.CloseHandle(w.poke)
}

// arm forgets canceled requests and returns the entries to wait for. It
// reports false if there are none: the waiter is in the pool no more.
func (w *waiter) arm(armed *[]waiterEntry) bool {
	waiters.mu.Lock()
	defer waiters.mu.Unlock()
	for _, e := range w.entries {
		if e.request.canceled {
			e.request.give(answer{err: errEnded})
		}
	}
	w.forgetAnswered()
	clear(*armed)
	*armed = append((*armed)[:0], w.entries...)
	if len(w.entries) == 0 {
		i := slices.Index(waiters.all, w)
		waiters.all = slices.Delete(waiters.all, i, i+1)
	}
	return len(w.entries) > 0
}

// handOff answers the request whose object the wait took.
func (w *waiter) handOff(armed []waiterEntry, event int, err error) {
	waiters.mu.Lock()
	defer waiters.mu.Unlock()
	for i, e := range armed {
		switch {
		case err != nil:
			e.request.give(answer{err: err})
		case i == event:
			e.request.give(answer{index: e.index})
		case event < len(armed) && e.sync.goesOnWith(armed[event].sync):
			e.request.give(answer{index: e.index})
		}
	}
	w.forgetAnswered()
}

// goesOnWith reports whether a wait for s ends when one for other does, that
// began no later: it is the same event, and not reset by any of them. It may
// be reset by now, or have been signaled for a moment only.
func (s *Sync) goesOnWith(other *Sync) bool {
	return s.kind == object.Event && s.manual && s.is(other)
}

func (r *request) give(a answer) {
	if !r.answered {
		r.answered = true
		r.answer <- a
	}
}

func (w *waiter) forgetAnswered() {
	w.entries = slices.DeleteFunc(w.entries, func(e waiterEntry) bool { return e.request.answered })
}
