package channel

import (
	"context"
	"errors"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/internal/step"
	"github.com/filemap-go/filemap/waitable"
)

// A bell wakes a process that sleeps at one end of a ring: it is an EventCount. A
// waiter prepares the wait, which says in the shared memory that it is about to
// sleep, tries once more, and sleeps, or cancels the wait. Notify rings only if a
// waiter has said so: a busy pair makes no system call that way.
//
// A bell wakes one. That one rings again if there is more than it took.
type bell struct {
	event    *waitable.Event
	segment  *segment
	who      *ring.Sleepers // shared
	slept    *uint64        // shared: counts how often somebody lay down
	sleeping atomic.Int32
	again    *time.Timer
	pause    atomic.Int64 // before the timer's next call, a time.Duration
}

// A waiter that sleeps tries by itself now and then: a process that should ring may
// be killed just before. While nothing comes each pause is twice as long as the one
// before, since thousands may wait for what seldom comes.
const (
	lookAgain = 250 * time.Millisecond
	lookLater = 4 * time.Second
)

func newBell(event *waitable.Event, s *segment, who *ring.Sleepers, slept *uint64) *bell {
	b := &bell{event: event, segment: s, who: who, slept: slept}
	b.again = time.AfterFunc(time.Hour, b.look)
	b.again.Stop()
	return b
}

func (b *bell) look() {
	if b.sleeping.Load() > 0 && !errors.Is(b.event.Set(), os.ErrClosed) {
		pause := min(2*b.pause.Load(), int64(lookLater))
		b.pause.Store(pause)
		b.again.Reset(time.Duration(pause))
	}
}

// prepareWait says that a goroutine of this handle is about to sleep.
func (b *bell) prepareWait() error {
	if b.sleeping.Add(1) == 1 || b.pause.Load() > int64(lookAgain) {
		b.pause.Store(int64(lookAgain))
		b.again.Reset(lookAgain)
	}
	return b.segment.view.Guard(func() error {
		atomic.AddUint64(b.slept, 1)
		b.who.Add(b.segment.member.number)
		return nil
	})
}

// prepareAgain puts this handle among the sleepers.
func (b *bell) prepareAgain() error {
	return b.segment.view.Guard(func() error {
		b.who.Add(b.segment.member.number)
		return nil
	})
}

// cancelWait says that a goroutine of this handle is awake.
func (b *bell) cancelWait() {
	if b.sleeping.Add(-1) > 0 {
		return
	}
	_ = b.segment.view.Guard(func() error {
		b.who.Forget(b.segment.member.number)
		return nil
	})
	if b.sleeping.Load() > 0 { // one lay down meanwhile: it is to say so again
		_ = b.event.Set()
	}
}

// notify wakes a process that sleeps, if one does.
func (b *bell) notify() {
	if b.who.IsAny() {
		b.ring()
	}
}

// ring wakes a process that sleeps, also one that has not said so.
func (b *bell) ring() {
	step.Here()
	_ = b.event.Set() // fails only if this handle has been closed
}

// sleep returns when somebody rang, or might have. If one of the mutexes to watch
// is taken meanwhile, it returns which, and its hold.
func (b *bell) sleep(ctx context.Context, watch []*waitable.Mutex) (at int, _ waitable.Hold, err error) {
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

// yields is how often others get to run, at the least, before one who watches
// sleeps: who blocks a thread keeps Go's processor with it until the runtime
// notices, which takes 20 us to 10 ms. Often one of them is about to do what the
// other side waits for, also when it has just yielded itself, as gRPC's writer
// does.
const yields = 3

// patience is one wait of one goroutine: it watches for a while, then sleeps.
// A caller of wait must call stop.
type patience struct {
	bell   *bell // nil if none rings: the wait then tries every millisecond
	spin   *spin
	others func() ring.Sleepers // other places whose death ends the wait, unless nil
	asleep bool
	busy   bool // another has the end that this wait is for, and soon moves it on
	last   int  // tries since the context ended
	tries  uint
	began  time.Time
	budget time.Duration // for watching
}

// wait returns when it is time to try again: at once while it watches, later
// when somebody rang. See [bell.sleep]. It fails when the caller has tried since
// ctx ended.
func (p *patience) wait(ctx context.Context, watch []*waitable.Mutex) (at int, hold waitable.Hold, err error) {
	switch {
	case ctx.Err() != nil:
		return 0, hold, p.again(ctx)
	case p.asleep && p.bell == nil:
		return p.pause(watch)
	case p.asleep:
		at, hold, err = p.bell.sleep(ctx, watch)
		if err == nil {
			err = p.bell.prepareAgain()
		} else if ctx.Err() != nil {
			err = p.again(ctx)
		}
		return at, hold, err
	case p.watching():
		runtime.Gosched() // others may have to run for there to be something
		return 0, hold, nil
	}
	p.asleep = true
	if p.bell == nil {
		return 0, hold, nil
	}
	return 0, hold, p.bell.prepareWait()
}

// pause is [bell.sleep] if no bell rings.
func (p *patience) pause(watch []*waitable.Mutex) (at int, hold waitable.Hold, err error) {
	time.Sleep(time.Millisecond)
	for at, mutex := range watch {
		if hold, locked, err := mutex.TryLock(); locked || err != nil {
			return at, hold, err
		}
	}
	return 0, hold, nil
}

// again returns nil if the caller should try again: as long as ctx goes on, and
// once more after its end, for there may have been something before it. While
// the end is another's, that is a few times.
func (p *patience) again(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	if p.last++; p.last > 1 && !(p.busy && p.last < copyTries) {
		return context.Cause(ctx)
	}
	runtime.Gosched()
	return nil
}

// stop ends the wait, whatever came of it.
func (p *patience) stop() {
	if p.tries > 0 {
		p.spin.learn(p.budget, time.Since(p.began), p.asleep)
	}
	if p.asleep && p.bell != nil {
		p.bell.cancelWait()
	}
}

// watching reports whether there is time left to watch.
func (p *patience) watching() bool {
	if p.tries++; p.tries == 1 {
		p.began, p.budget = time.Now(), p.spin.budget()
	}
	switch p.budget {
	case SpinNever:
		return false
	case SpinAlways:
		return true
	}
	return p.tries <= yields || time.Since(p.began) < p.budget
}
