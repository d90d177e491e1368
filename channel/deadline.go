package channel

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// deadline is when the operations of a stream end.
type deadline struct {
	parent context.Context // ends with the Conn
	now    atomic.Pointer[period]

	mu    sync.Mutex
	timer *time.Timer
	ended bool
}

// period is what operations share that end at the same time.
type period struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
}

func (d *deadline) start(parent context.Context) {
	d.parent = parent
	d.begin()
}

func (d *deadline) begin() {
	p := new(period)
	p.ctx, p.cancel = context.WithCancelCause(d.parent)
	d.now.Store(p)
}

// context returns the context of an operation that begins now. It is also that
// of those in progress, unless they have ended.
func (d *deadline) context() context.Context { return d.now.Load().ctx }

func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return
	}
	if d.timer != nil && !d.timer.Stop() {
		d.now.Load().cancel(os.ErrDeadlineExceeded) // the timer's call may still be to come
	}
	d.timer = nil
	if d.context().Err() != nil {
		d.begin()
	}
	if t.IsZero() {
		return
	}
	cancel := d.now.Load().cancel
	if left := time.Until(t); left > 0 {
		d.timer = time.AfterFunc(left, func() { cancel(os.ErrDeadlineExceeded) })
	} else {
		cancel(os.ErrDeadlineExceeded)
	}
}

// stop ends the timer, which would keep the Conn in memory.
func (d *deadline) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = true
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}
