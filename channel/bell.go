package channel

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/internal/step"
	"github.com/filemap-go/filemap/waitable"
)

// A bell wakes who sleeps at one end of a ring. Who is about to sleep raises a
// flag, looks once more, and sleeps; who has something for the sleeper rings if
// the flag is up. So a busy pair makes no system call.
//
// A bell wakes one. That one, and any other who finds the flag up, rings again
// if there is more than it took.
type bell struct {
	event    *waitable.Event
	view     *filemap.View // holds what follows
	flag     *uint32
	sleepers atomic.Int32 // goroutines of this handle
	again    *time.Timer
}

// lookAgain is how often one who sleeps looks by itself: a process that should
// ring may be killed just before.
const lookAgain = 250 * time.Millisecond

func newBell(event *waitable.Event, view *filemap.View, flag *uint32) *bell {
	b := &bell{event: event, view: view, flag: flag}
	b.again = time.AfterFunc(time.Hour, b.look)
	b.again.Stop()
	return b
}

func (b *bell) look() {
	if b.sleepers.Load() > 0 && !errors.Is(b.event.Set(), os.ErrClosed) {
		b.again.Reset(lookAgain)
	}
}

// raise says that somebody is about to sleep, and counts those who did.
func (b *bell) raise(count *uint64, slept uint64) error {
	return b.view.Guard(func() {
		atomic.AddUint64(count, slept)
		step.Here()
		atomic.StoreUint32(b.flag, 1)
	})
}

// wanted reports whether somebody sleeps.
func (b *bell) wanted() bool {
	step.Here()
	return atomic.LoadUint32(b.flag) != 0
}

// ring wakes one who sleeps. The flag goes down first: who is awake raises it
// again before it sleeps.
func (b *bell) ring() {
	step.Here()
	atomic.StoreUint32(b.flag, 0)
	step.Here()
	_ = b.event.Set() // fails only if this handle has been closed
}

// sleep returns when somebody rang, or might have. If watch, unless nil, is
// taken meanwhile, it returns its hold.
func (b *bell) sleep(ctx context.Context, watch *waitable.Mutex) (waitable.Hold, error) {
	if b.sleepers.Add(1) == 1 {
		b.again.Reset(lookAgain)
	}
	defer b.sleepers.Add(-1)
	if watch == nil {
		return waitable.Hold{}, b.event.Wait(ctx)
	}
	result, err := waitable.Any(ctx, b.event, watch)
	if err != nil || result.Index == 0 {
		return waitable.Hold{}, err
	}
	return result.Holds[1], nil
}

// patience is one wait of one goroutine: it watches for a while, then sleeps.
type patience struct {
	bell   *bell
	spin   *spin
	waits  *uint64 // shared: counts sleeps
	raised bool
	looks  uint
	until  time.Time // when watching ends
}

// wait returns when it is time to try again: at once while it watches, later
// when somebody rang. See [bell.sleep].
func (p *patience) wait(ctx context.Context, watch *waitable.Mutex) (waitable.Hold, error) {
	if ctx.Err() != nil {
		return waitable.Hold{}, context.Cause(ctx)
	}
	if !p.raised {
		if p.watching() {
			return waitable.Hold{}, nil
		}
		p.spin.learn(false)
		p.raised = true
		return waitable.Hold{}, p.bell.raise(p.waits, 0)
	}
	hold, err := p.bell.sleep(ctx, watch)
	return hold, errors.Join(err, p.bell.raise(p.waits, 1))
}

// done ends a wait that came to something.
func (p *patience) done() {
	if p.looks > 0 && !p.raised {
		p.spin.learn(true)
	}
}

// watching reports whether there is time left to watch. The clock is slow, so
// it is not asked each time.
func (p *patience) watching() bool {
	p.looks++
	switch {
	case p.looks == 1:
		budget := p.spin.budget()
		if budget == SpinAlways {
			p.until = time.Time{}
			return true
		}
		p.until = time.Now().Add(budget)
		return budget > 0
	case p.looks%8 != 0 || p.until.IsZero():
		return true
	}
	return time.Now().Before(p.until)
}
