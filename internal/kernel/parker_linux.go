package kernel

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/filemap-go/filemap/internal/objmgr"
	"github.com/filemap-go/filemap/internal/sys"
)

// A parker waits for the words of many goroutines. Words are added and taken
// away by poking its own futex, so that it builds its vector anew.
type parker struct {
	mu      sync.Mutex
	entries []*parkEntry
	poke    atomic.Uint32 // a futex of this process: changes when entries do
}

// parkEntry is one word that one goroutine waits for.
type parkEntry struct {
	page     *page // keeps it mapped
	low      uint32
	watchful bool
	wake     chan<- struct{} // has room for one
	done     atomic.Bool     // nobody waits any more
}

// parkerSize leaves room for the parker's own word.
const parkerSize = sys.FutexWordsMax - 2

var parkers parkerPool

type parkerPool struct {
	mu  sync.Mutex
	all []*parker
}

// parkPooled parks a goroutine with the parkers.
func parkPooled(ctx context.Context, words []objmgr.Parked, until int64) error {
	wake := make(chan struct{}, 1)
	for _, w := range words {
		e := &parkEntry{page: w.Page.(*page), low: w.Low, watchful: w.Watchful, wake: wake}
		defer e.done.Store(true)
		parkers.add(e)
	}
	var timeout <-chan time.Time
	if until != 0 {
		timer := time.NewTimer(time.Duration(until - sys.MonotonicTime()))
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case <-wake:
	case <-timeout:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// add gives an entry to a parker with room, which may be a new one.
func (l *parkerPool) add(e *parkEntry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(l.all) - 1; i >= 0; i-- { // the newest has room most often
		if l.all[i].add(e) {
			return
		}
	}
	p := &parker{entries: []*parkEntry{e}}
	l.all = append(l.all, p)
	go p.live()
}

func (p *parker) add(e *parkEntry) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.entries) >= parkerSize {
		return false
	}
	p.entries = append(p.entries, e)
	p.poke.Add(1)
	sys.FutexWake(sys.PrivateFutex(&p.poke))
	return true
}

// live waits until there is nothing left to wait for.
func (p *parker) live() {
	vector := new(sys.FutexVector)
	for next := time.Now().Add(backstop); ; {
		if !p.arm(vector) {
			if parkers.retire(p) {
				return
			}
			continue
		}
		waitVector(vector, 0)
		look := time.Now().After(next)
		if look {
			next = time.Now().Add(backstop)
		}
		p.handOff(look)
		// The goroutines that were handed off are to run on this thread's
		// processor before it blocks.
		runtime.Gosched()
	}
}

// arm builds the vector. It reports false if there are no entries.
func (p *parker) arm(vector *sys.FutexVector) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	vector.Reset()
	vector.Add(sys.PrivateFutex(&p.poke), p.poke.Load())
	for _, e := range p.entries {
		vector.Add(e.page.futex, e.low)
	}
	return len(p.entries) > 0
}

// handOff wakes the goroutines whose words have changed, and, if look is set,
// those that must look whether somebody died. It forgets them, and those that
// no longer wait.
func (p *parker) handOff(look bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.entries[:0]
	for _, e := range p.entries {
		switch {
		case e.done.Load():
		case e.page.low() != e.low || e.page.Err() != nil || look && e.watchful:
			select {
			case e.wake <- struct{}{}:
			default: // by another of its words
			}
		default:
			kept = append(kept, e)
		}
	}
	clear(p.entries[len(kept):])
	p.entries = kept
}

// retire takes a parker out of the pool, unless it has got an entry meanwhile.
func (l *parkerPool) retire(p *parker) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.entries) > 0 {
		return false
	}
	for i, other := range l.all {
		if other == p {
			l.all = append(l.all[:i], l.all[i+1:]...)
			break
		}
	}
	return true
}
