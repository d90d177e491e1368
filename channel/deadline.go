package channel

import (
	"context"
	"os"
	"sync"
	"time"
)

// deadline is when the operations of a stream end.
type deadline struct {
	parent context.Context // ends with the Conn

	mu    sync.Mutex
	timer *time.Timer
	ctx   context.Context
	end   context.CancelCauseFunc
}

func (d *deadline) start(parent context.Context) {
	d.parent = parent
	d.ctx, d.end = context.WithCancelCause(parent)
}

// context returns the context of an operation that begins now. It is also that
// of those in progress, unless they have ended.
func (d *deadline) context() context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ctx
}

func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil && !d.timer.Stop() {
		d.end(os.ErrDeadlineExceeded) // the timer's call may still be to come
	}
	d.timer = nil
	if d.ctx.Err() != nil {
		d.ctx, d.end = context.WithCancelCause(d.parent)
	}
	if t.IsZero() {
		return
	}
	end := d.end
	if left := time.Until(t); left > 0 {
		d.timer = time.AfterFunc(left, func() { end(os.ErrDeadlineExceeded) })
	} else {
		end(os.ErrDeadlineExceeded)
	}
}
