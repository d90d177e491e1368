package objmgr

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/filemap-go/filemap/internal/layout"
)

// The simulated memory: each access to a word that processes share is a step.
// All of them see it in the same order, as they do words that are only changed
// atomically.

// sleeper is what a process is to the parts of the machine that wake it.
type sleeper struct {
	words []Parked // it is parked on these
	at    int      // the offset of the words in their pages
	until int64
	// timedOut is the number of changes when it last came back although
	// nobody woke it.
	timedOut int

	owner, namespace uint32     // its number, unique in the namespace
	kept             []*simPage // whose state its death changes
	drawn            uint64     // random numbers
	ended            bool       // its context, by another process
}

func (s *sleeper) asleep() bool { return s.words != nil }

// mayTimeOut reports whether the sleeper comes back by itself: once for each
// change of anything, lest time alone look like progress.
func (s *sleeper) mayTimeOut(sim *simulation) bool {
	watchful := func(w Parked) bool { return w.Watchful }
	return s.until != 0 || slices.ContainsFunc(s.words, watchful) && s.timedOut != sim.changes
}

func (s *sleeper) addTo(h *hash, sim *simulation) {
	h.addBool(s.asleep())
	h.addBool(s.timedOut == sim.changes)
	h.add(uint64(len(s.kept)), uint64(s.until))
	h.addBool(s.ended)
}

// timeouts appends those who come back by themselves: time passes only where
// nobody has anything else to do.
func (s *simulation) timeouts(to []choice) []choice {
	for i, p := range s.processes {
		if p.phase == running && p.asleep() && p.mayTimeOut(s) {
			to = append(to, choice{i, false})
		}
	}
	return to
}

// passTime wakes a process that was chosen although it is asleep.
func (s *simulation) passTime(p *process) {
	if p.asleep() {
		s.checkWait(p)
		s.now = max(s.now, p.until)
		p.words, p.timedOut = nil, s.changes
	}
}

// checkAsleep objects if somebody is asleep when nothing can happen any more.
func (s *simulation) checkAsleep() {
	for _, p := range s.processes {
		if p.phase == running && p.asleep() && (s.robust || !s.killed) {
			s.fail(p, "waits for ever")
		}
	}
}

// simPage is a control page in a process's memory.
type simPage struct {
	p *process
	*inode
}

// MapPage implements Memory.
func (p *process) MapPage(fd FD, guarded bool) (Page, error) {
	return &simPage{p, p.stepOn(fd).inode}, p.see("map page", p.subject(fd), nil)
}

// Word implements Page.
func (s *simPage) Word(offset int) Word { return simWord{s, offset} }

// Err implements Page.
func (s *simPage) Err() error { return nil }

// Wake implements Page.
func (s *simPage) Wake() {
	s.p.step()
	s.wake(s.p, layout.StateAt, math.MaxInt)
}

// AddOneAndWake implements Page.
func (s *simPage) AddOneAndWake(offset int) {
	s.p.step()
	s.set(offset, s.get(offset)+1)
	s.wake(s.p, offset, math.MaxInt)
}

// wake wakes so many of the processes that are parked on a word of the page.
func (s *simPage) wake(by *process, offset, most int) {
	for _, other := range by.sim.processes {
		isOn := func(w Parked) bool { return w.Page.(pageOfMachine).real().inode == s.inode }
		if most > 0 && other.at == offset && slices.ContainsFunc(other.words, isOn) {
			other.words = nil
			most--
		}
	}
	by.log("wake", "", "")
}

// pageOfMachine is a simPage, or what a test puts around one.
type pageOfMachine interface{ real() *simPage }

func (s *simPage) real() *simPage { return s }

// Keep implements Page.
func (s *simPage) Keep() (uint32, error) {
	s.p.kept = append(s.p.kept, s)
	return s.p.owner, nil
}

// Release implements Page.
func (s *simPage) Release() {
	s.p.mustRun()
	s.p.kept = slices.DeleteFunc(s.p.kept, func(k *simPage) bool { return k == s })
}

// ownerDied is what the kernel does with a futex in the robust list of a
// thread that dies: it looks at the low half alone, and wakes one.
func (s *simPage) ownerDied(p *process) {
	state := layout.State(s.get(layout.StateAt))
	if state.Low()&layout.MutexOwner != p.owner || state.Has(layout.MutexDied) {
		return
	}
	low := state.Low()&layout.StateWaiters | layout.MutexDied
	s.set(layout.StateAt, uint64(layout.NewState(state.Token(), low)))
	if state.Has(layout.StateWaiters) {
		s.wake(p, layout.StateAt, 1)
	}
}

// isGone reports whether the file was emptied: words then read as 0, and do not change.
func (i *inode) isGone() bool { return len(i.page) == 0 }

func (s *simPage) get(offset int) uint64 {
	if s.isGone() {
		return 0
	}
	return binary.LittleEndian.Uint64(s.page[offset:])
}

func (s *simPage) set(offset int, v uint64) {
	if s.isGone() {
		return
	}
	if s.get(offset) != v {
		s.p.sim.changes++
	}
	binary.LittleEndian.PutUint64(s.page[offset:], v)
}

// simWord is one word of a page.
type simWord struct {
	*simPage
	offset int
}

func (w simWord) Load() uint64 {
	w.p.step()
	v := w.get(w.offset)
	w.p.history.add(v)
	w.p.logf("load", "%#x is %#x", w.offset, v)
	return v
}

func (w simWord) Store(v uint64) {
	w.p.step()
	w.set(w.offset, v)
	w.p.logf("store", "%#x is %#x", w.offset, v)
}

func (w simWord) CompareAndSwap(old, v uint64) bool {
	w.p.step()
	swapped := w.get(w.offset) == old
	if swapped {
		w.set(w.offset, v)
	}
	w.p.history.addBool(swapped)
	w.p.logf("swap", "%#x from %#x to %#x: %v", w.offset, old, v, swapped)
	return swapped
}

// Spin implements Memory. Each look would be a step, and the looks before a wait
// parks are the same.
func (p *process) Spin(int) bool { return false }

// Park implements Memory.
func (p *process) Park(_ context.Context, words []Parked, until int64) {
	p.parkOn(layout.StateAt, words, until)
}

// parkOn is Park for the words at any offset.
func (p *process) parkOn(offset int, words []Parked, until int64) {
	p.step()
	for _, w := range words {
		if uint32(w.Page.(pageOfMachine).real().get(offset)) != w.Low {
			p.history.add(1)
			p.see("park", "", nil)
			return
		}
	}
	if p.ended {
		return
	}
	p.words, p.at, p.until = words, offset, until
	p.logf("park", "on %d words", len(words))
	p.step()
	p.until = 0
	p.history.add(2)
	p.logf("unpark", "")
}

// Now implements Memory.
func (p *process) Now(uint64) int64 {
	p.history.add(uint64(p.sim.now))
	return p.sim.now
}

// PIDNamespace implements Memory.
func (p *process) PIDNamespace() uint32 { return p.namespace }

func (p *process) logf(call, format string, args ...any) {
	if p.sim.tracing {
		p.log(call, "", fmt.Sprintf(format, args...))
	}
}
