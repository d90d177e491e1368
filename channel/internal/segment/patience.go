package segment

import (
	"context"
	"runtime"
	"time"

	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/waitable"
)

// yields is how often others get to run, at least, before a wait that watches
// sleeps: a goroutine that blocks a thread keeps Go's processor with it until the
// runtime notices, which takes 20 us to 10 ms. Often one of them is about to do what the
// other side waits for, also when it has just yielded itself, as gRPC's writer
// does.
const yields = 3

// Patience is one wait of one goroutine: it watches for a while, then sleeps.
// After a wait, the caller must call Stop.
type Patience struct {
	Bell   *Bell // nil if none rings: the wait then tries every millisecond
	Spin   *Spin
	Others func() ring.Sleepers // other places whose death ends the wait, unless nil
	Asleep bool                 // it sleeps between tries
	busy   bool                 // another has the end that this wait is for, and soon moves it on
	last   int                  // tries since the context ended
	tries  uint
	began  time.Time
	budget time.Duration // for watching
}

// wait returns when it is time to try again: at once while it watches, later
// when somebody rang. See [Bell.sleep]. It fails when the caller has tried since
// ctx ended.
func (p *Patience) wait(ctx context.Context, watch []*waitable.Mutex) (at int, hold waitable.Hold, err error) {
	switch {
	case ctx.Err() != nil:
		return 0, hold, p.Again(ctx)
	case p.Asleep && p.Bell == nil:
		return p.pause(watch)
	case p.Asleep:
		at, hold, err = p.Bell.sleep(ctx, watch)
		if err == nil {
			err = p.Bell.prepareAgain()
		} else if ctx.Err() != nil {
			err = p.Again(ctx)
		}
		return at, hold, err
	case p.Watching():
		runtime.Gosched() // others may have to run for there to be something
		return 0, hold, nil
	}
	p.Asleep = true
	if p.Bell == nil {
		return 0, hold, nil
	}
	return 0, hold, p.Bell.prepareWait()
}

// pause is [Bell.sleep] if no bell rings.
func (p *Patience) pause(watch []*waitable.Mutex) (at int, hold waitable.Hold, err error) {
	time.Sleep(time.Millisecond)
	for at, mutex := range watch {
		if hold, locked, err := mutex.TryLock(); locked || err != nil {
			return at, hold, err
		}
	}
	return 0, hold, nil
}

// Again returns nil if the caller should try again: as long as ctx goes on, and
// once more after its end, for there may have been something before it. While
// the end is another's, that is a few times.
func (p *Patience) Again(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	if p.last++; p.last > 1 && !(p.busy && p.last < copyTries) {
		return context.Cause(ctx)
	}
	runtime.Gosched()
	return nil
}

// Stop ends the wait, whatever came of it.
func (p *Patience) Stop() {
	if p.tries > 0 {
		p.Spin.learn(p.budget, time.Since(p.began), p.Asleep)
	}
	if p.Asleep && p.Bell != nil {
		p.Bell.cancelWait()
	}
}

// bubbleTries is how often a wait tries while the clock stands still: it does in a bubble
// of testing/synctest, for as long as a goroutine there runs.
const bubbleTries = 1000

// ShouldReap reports whether it is time to look whether the other side is dead, for a
// wait that does not sleep and see it.
func (p *Patience) ShouldReap() bool {
	return !p.Asleep && p.tries%triesPerReap == triesPerReap-1 || p.last == 1
}

// Watching reports whether there is time left to watch.
func (p *Patience) Watching() bool {
	if p.tries++; p.tries == 1 {
		p.began, p.budget = time.Now(), p.Spin.budget()
	}
	switch p.budget {
	case SpinNever:
		return false
	case SpinAlways:
		return true
	}
	took := time.Since(p.began)
	return p.tries <= yields || took < p.budget && (took > 0 || p.tries < bubbleTries)
}

// watched returns the places whose death is to end the wait.
func (p *Patience) watched(owner uint16) (who ring.Sleepers) {
	if p.Others != nil {
		who = p.Others()
	}
	if owner != 0 {
		who = who.With(owner)
	}
	return who
}
