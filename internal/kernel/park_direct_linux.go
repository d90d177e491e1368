package kernel

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/filemap-go/filemap/internal/objmgr"
	"github.com/filemap-go/filemap/internal/sys"
)

// A direct wait blocks the thread that it is called on.

func parkDirect(ctx context.Context, words []objmgr.Parked, until int64) {
	done := ctx.Done()
	if done == nil && len(words) == 1 {
		// The same as below, but the fastest way, and any system has it.
		sys.FutexWait(words[0].Page.(*page).futex, words[0].Low, int64(lasting(until)))
		return
	}
	d := directs.take(done)
	d.vector.Reset()
	for _, w := range words {
		d.vector.Add(w.Page.(*page).futex, w.Low)
	}
	if done != nil {
		d.alarm.set(ctx)
		d.vector.Add(sys.PrivateFutex(d.alarm.word), 0)
	}
	waitVector(&d.vector, until)
	if done != nil {
		d.alarm.used(ctx)
	}
	directs.put(d)
}

// direct is what a direct wait needs, kept for the next one.
type direct struct {
	vector sys.FutexVector
	alarm  alarm
}

var directs directPool

// directPool has no more of them than there are direct waits at a time.
type directPool struct {
	mu   sync.Mutex
	free []*direct // the one used last is the last
}

// take returns the one that served the same context before, if it is there.
func (l *directPool) take(done <-chan struct{}) *direct {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.free) == 0 {
		return new(direct)
	}
	same := func(d *direct) bool { return d.alarm.done == done }
	i := max(0, slices.IndexFunc(l.free, same))
	d := l.free[i]
	l.free = slices.Delete(l.free, i, i+1)
	return d
}

func (l *directPool) put(d *direct) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free = append(l.free, d)
}

// An alarm ends waits when their context is done. It stays set from one wait to
// the next where they have the same context; but many a context is for one wait
// only, and is to be left alone after that.
type alarm struct {
	word *atomic.Uint32  // a futex of this process: 1 when the context is done
	done <-chan struct{} // of the context of the last wait
	stop func() bool     // nil while the alarm is not set
}

// set sets the alarm before a wait.
func (a *alarm) set(ctx context.Context) {
	if a.stop != nil && a.done == ctx.Done() {
		return
	}
	a.unset()
	if a.word == nil {
		a.word = new(atomic.Uint32)
	}
	word := a.word
	a.stop = context.AfterFunc(ctx, func() {
		word.Store(1)
		sys.FutexWake(sys.PrivateFutex(word))
	})
}

// used takes note of a wait.
func (a *alarm) used(ctx context.Context) {
	if a.done != ctx.Done() || ctx.Err() != nil {
		a.unset()
	}
	a.done = ctx.Done()
}

func (a *alarm) unset() {
	if a.stop != nil && !a.stop() {
		a.word = nil // the function has been called: the word is its own
	}
	a.stop = nil
}
