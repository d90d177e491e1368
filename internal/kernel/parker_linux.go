package kernel

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/filemap-go/filemap/internal/objmgr"
	"github.com/filemap-go/filemap/internal/sys"
)

// A parker waits for the words of many goroutines. Words are added by poking its
// own futex, so that it builds its vector anew. A word that is taken away stays
// in the vector until then, where all it can do is to wake the parker.
type parker struct {
	mu      sync.Mutex
	entries []*parkEntry
	poke    atomic.Uint32 // a futex of this process: changes when an entry comes
	full    atomic.Bool
}

// parkEntry is one word that one goroutine waits for. The page stays mapped as
// long as there are entries for it.
type parkEntry struct {
	objmgr.Parked
	until  int64
	wake   chan<- struct{} // has room for one
	parker *parker
	waits  bool // the parker has it
}

func (e *parkEntry) page() *page { return e.Page.(*page) }

// parkerSize leaves room for the parker's own word.
const parkerSize = sys.FutexWordsMax - 2

var parkers parkerPool

// parkerPool has as many parkers as the goroutines that wait at a time need.
type parkerPool struct {
	mu  sync.Mutex
	all []*parker
}

// parkPooled parks a goroutine with the parkers.
func parkPooled(ctx context.Context, words []objmgr.Parked, until int64) {
	wake := wakers.take()
	defer wakers.put(wake)
	entries := make([]parkEntry, len(words))
	for i := range entries {
		e := &entries[i]
		*e = parkEntry{Parked: words[i], until: until, wake: wake}
		parkers.add(e)
		defer e.leave()
	}
	select {
	case <-wake:
	case <-ctx.Done():
	}
}

// add gives an entry to the oldest parker with room, so that the newest run out
// of entries when there are fewer. If there is none, it starts one.
func (l *parkerPool) add(e *parkEntry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.all {
		if !p.full.Load() && p.add(e) {
			return
		}
	}
	p := new(parker)
	p.add(e)
	l.all = append(l.all, p)
	outside(p.live)
}

func (p *parker) add(e *parkEntry) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.entries) >= parkerSize {
		return false
	}
	e.parker, e.waits = p, true
	p.entries = append(p.entries, e)
	p.full.Store(len(p.entries) >= parkerSize)
	p.poke.Add(1)
	sys.FutexWake(sys.PrivateFutex(&p.poke))
	return true
}

// leave ends the entry's wait, if it goes on still. Its place is free at once.
func (e *parkEntry) leave() {
	p := e.parker
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.waits {
		p.keep(func(other *parkEntry) bool { return other != e })
	}
}

// keep takes away the entries that a function reports false for. The caller
// holds mu.
func (p *parker) keep(stays func(*parkEntry) bool) {
	p.entries = slices.DeleteFunc(p.entries, func(e *parkEntry) bool {
		e.waits = stays(e)
		return !e.waits
	})
	p.full.Store(len(p.entries) >= parkerSize)
}

// live waits until there is nothing left to wait for.
func (p *parker) live() {
	vector := new(sys.FutexVector)
	for next := time.Now().Add(backstop); ; {
		until, any := p.arm(vector)
		if !any {
			if parkers.retire(p) {
				return
			}
			continue
		}
		waitVector(vector, until)
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

// arm builds the vector, and returns when the first wait in it ends by itself,
// or 0. It reports false if there are no entries.
func (p *parker) arm(vector *sys.FutexVector) (until int64, any bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	vector.Reset()
	vector.Add(sys.PrivateFutex(&p.poke), p.poke.Load())
	for _, e := range p.entries {
		vector.Add(e.page().futex, e.Low)
		if e.until != 0 && (until == 0 || e.until < until) {
			until = e.until
		}
	}
	return until, len(p.entries) > 0
}

// handOff wakes the goroutines whose words have changed or are gone, or whose
// time has come, and, if look is set, those that must look whether somebody
// died. It forgets them.
func (p *parker) handOff(look bool) {
	now := monotonic()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keep(func(e *parkEntry) bool {
		page := e.page()
		if page.low() == e.Low && page.Err() == nil &&
			(e.until == 0 || now < e.until) && !(look && e.Watchful) {
			return true
		}
		select {
		case e.wake <- struct{}{}:
		default: // by another of its words
		}
		return false
	})
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
	l.all = slices.DeleteFunc(l.all, func(other *parker) bool { return other == p })
	return true
}

// wakers are channels by which parkers wake goroutines, kept for the next wait.
// No bubble of testing/synctest has made them.
var wakers wakerPool

type wakerPool struct {
	mu   sync.Mutex
	free []chan struct{}
}

func (l *wakerPool) take() chan struct{} {
	const some = 32
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.free) == 0 {
		callOutside(func() {
			for range some {
				l.free = append(l.free, make(chan struct{}, 1))
			}
		})
	}
	last := len(l.free) - 1
	wake := l.free[last]
	l.free = l.free[:last]
	return wake
}

// put takes a channel back that no entry has any more.
func (l *wakerPool) put(wake chan struct{}) {
	select {
	case <-wake:
	default:
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free = append(l.free, wake)
}
