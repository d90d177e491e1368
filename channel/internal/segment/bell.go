package segment

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"time"

	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/internal/step"
	"github.com/filemap-go/filemap/waitable"
)

// Bell wakes a process that sleeps at one end of a ring: it is an EventCount. A
// waiter prepares the wait, which says in the shared memory that it is about to
// sleep, tries once more, and sleeps, or cancels the wait. Notify rings only if a
// waiter has said so: a busy pair makes no system call that way.
//
// It wakes one. That one rings again if there is more than it took.
type Bell struct {
	event    *waitable.Event
	segment  *Segment
	who      *ring.Sleepers // shared
	slept    *uint64        // shared: counts the waits that slept
	sleeping atomic.Int32
	again    *time.Timer
	pause    atomic.Int64 // before the timer's next call, a time.Duration
}

// A waiter that sleeps tries by itself now and then: a process that should ring may
// be killed just before. While nothing comes each pause is twice as long as the one
// before, since thousands may wait for what seldom comes.
const (
	// LookAgain is the first pause.
	LookAgain = 250 * time.Millisecond
	lookLater = 4 * time.Second
)

func newBell(event *waitable.Event, s *Segment, who *ring.Sleepers, slept *uint64) *Bell {
	b := &Bell{event: event, segment: s, who: who, slept: slept}
	b.again = time.AfterFunc(time.Hour, b.look)
	b.again.Stop()
	return b
}

func (b *Bell) look() {
	if b.sleeping.Load() > 0 && !errors.Is(b.event.Set(), os.ErrClosed) {
		pause := min(2*b.pause.Load(), int64(lookLater))
		b.pause.Store(pause)
		b.again.Reset(time.Duration(pause))
	}
}

// prepareWait says that a goroutine of this handle is about to sleep.
func (b *Bell) prepareWait() error {
	if b.sleeping.Add(1) == 1 || b.pause.Load() > int64(LookAgain) {
		b.pause.Store(int64(LookAgain))
		b.again.Reset(LookAgain)
	}
	return b.segment.View.Guard(func() error {
		atomic.AddUint64(b.slept, 1)
		b.who.Add(b.segment.Member.Number)
		return nil
	})
}

// prepareAgain puts this handle among the sleepers.
func (b *Bell) prepareAgain() error {
	return b.segment.View.Guard(func() error {
		b.who.Add(b.segment.Member.Number)
		return nil
	})
}

// cancelWait says that a goroutine of this handle is awake.
func (b *Bell) cancelWait() {
	if b.sleeping.Add(-1) > 0 {
		return
	}
	_ = b.segment.View.Guard(func() error {
		b.who.Forget(b.segment.Member.Number)
		return nil
	})
	if b.sleeping.Load() > 0 { // another one is about to: it must say so again
		_ = b.event.Set()
	}
}

// Notify wakes a process that sleeps, if one does.
func (b *Bell) Notify() {
	if b.who.IsAny() {
		b.Ring()
	}
}

// Ring wakes a process that sleeps, also one that has not said so.
func (b *Bell) Ring() {
	step.Here()
	_ = b.event.Set() // fails only if this handle has been closed
}

// RingNext wakes another goroutine of this handle, if one sleeps.
func (b *Bell) RingNext() {
	if b.sleeping.Load() > 0 {
		b.Ring()
	}
}

// sleep returns when somebody rang, or might have. If one of the mutexes to watch
// is taken meanwhile, it returns which, and its hold.
func (b *Bell) sleep(ctx context.Context, watch []*waitable.Mutex) (at int, _ waitable.Hold, err error) {
	if len(watch) == 0 {
		return 0, waitable.Hold{}, b.event.Wait(ctx)
	}
	objects := make([]waitable.Object, 1, 1+watchMost)
	objects[0] = b.event
	for _, mutex := range watch {
		objects = append(objects, mutex)
	}
	result, err := waitable.Any(ctx, objects...)
	if err != nil || result.Index == 0 {
		return 0, waitable.Hold{}, err
	}
	return result.Index - 1, result.Holds[result.Index], nil
}

// watchMost is how many mutexes a wait watches. A wait that should watch more
// finds out later, when it looks by itself.
const watchMost = 16
