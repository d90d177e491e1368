//go:build filemap_steps

package stream

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/filemap-go/filemap/internal/race"
	"github.com/filemap-go/filemap/internal/step"
)

// worldBell is a bell in a world: it can be rung before somebody sleeps.
type worldBell struct {
	*world
	rung    bool
	dead    func() bool // whether the other side is
	waiters *Waiters
}

func (b *worldBell) Sleep(context.Context) error {
	b.Await(func() bool { return b.rung || b.dead() })
	b.rung = false
	if b.dead() {
		b.waiters.WakeAll()
	}
	return nil
}

func (b *worldBell) Ring() { b.rung = true }

// pipe is one direction of a stream: a count that one side raises and the other follows.
type pipe struct{ count, flag uint64 }

// follow waits until the count is n, or the other side is dead, and returns what it saw
// last.
func (p *pipe) follow(w *Waiters, me *Waiter, n uint64, dead func() bool) (seen uint64) {
	look := func() bool {
		step.Here()
		seen = race.Load(&p.count)
		return seen >= n
	}
	for !look() {
		step.Here()
		race.Store(&p.flag, 1)
		if look() {
			break
		}
		if dead() {
			look()
			break
		}
		_ = w.Wait(context.Background(), me)
	}
	step.Here()
	race.Store(&p.flag, 0)
	return seen
}

// raise raises the count and tells the other side.
func (p *pipe) raise(news *News, slot uint32, ring func()) {
	step.Here()
	atomic.AddUint64(&p.count, 1)
	if IsAwaited(&p.flag) && news.Tell(slot) {
		step.Here()
		ring()
	}
}

// newsWorld has one waiter, and several that write to the same stream or to others.
func newsWorld(slots []uint32, times int) (*world, func()) {
	w := &world{}
	news := &News{}
	pipes := map[uint32]*pipe{}
	writers := map[uint32]uint64{}
	anyDead := func() bool {
		for _, a := range w.actors[1:] {
			if a.Killed() {
				return true
			}
		}
		return false
	}
	bell := &worldBell{world: w, dead: anyDead}
	waiters := NewWaiters(news, bell, unguarded)
	bell.waiters = waiters
	for _, slot := range slots {
		pipes[slot] = &pipe{}
		writers[slot] += uint64(times)
		waiters.Add(slot)
	}
	w.add(func() {
		for _, slot := range slots {
			n := writers[slot]
			if seen := pipes[slot].follow(waiters, &waiters.streams[slot].In, n, anyDead); seen < n && !anyDead() {
				w.fail("slot %d: woken for good at %d of %d", slot, seen, n)
			}
		}
	})
	for _, slot := range slots {
		w.add(func() {
			for range times {
				pipes[slot].raise(news, slot, bell.Ring)
			}
		})
	}
	return w, func() {
		if news.sleeping != 0 && !w.actors[0].Killed() {
			w.fail("nobody sleeps, and the word says so")
		}
	}
}

// TestNewsWorlds has a side sleep while the other brings news: no wake-up is lost.
func TestNewsWorlds(t *testing.T) {
	for name, test := range map[string]struct {
		slots                 []uint32
		times                 int
		interruptions, deaths int
	}{
		"one stream":                 {[]uint32{7}, 3, 3, 0},
		"two streams of a word":      {[]uint32{7, 9}, 1, 3, 0},
		"two streams far apart":      {[]uint32{7, Most - 1}, 1, 3, 0},
		"two goroutines, one stream": {[]uint32{70, 70}, 1, 3, 0},
		"the other side dies":        {[]uint32{7}, 3, 2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			explore(t, test.interruptions, test.deaths, func() (*world, func()) {
				return newsWorld(test.slots, test.times)
			})
		})
	}
}

// TestNewsWorldsFind has the worlds find mistakes that were made on purpose: a summary
// that is set before the word, and a side that says too late that it sleeps.
func TestNewsWorldsFind(t *testing.T) {
	for name, notify := range map[string]func(n *News, p *pipe, slot uint32) bool{
		"the summary first": func(n *News, p *pipe, slot uint32) bool {
			if race.Swap(&p.flag, 0) == 0 {
				return false
			}
			step.Here()
			n.summary[0] |= 1
			step.Here()
			n.words[0] |= 1 << slot
			step.Here()
			asleep := n.sleeping
			n.sleeping = 0
			return asleep != 0
		},
		"the bell before the news": func(n *News, p *pipe, slot uint32) bool {
			if race.Swap(&p.flag, 0) == 0 {
				return false
			}
			step.Here()
			asleep := n.sleeping
			n.note(slot)
			return asleep != 0
		},
	} {
		err := findWrong(t, 3, 0, func() (*world, func()) {
			w := &world{}
			news, p := &News{}, &pipe{}
			bell := &worldBell{world: w, dead: func() bool { return false }}
			waiters := NewWaiters(news, bell, unguarded)
			waiters.Add(5)
			w.add(func() { p.follow(waiters, &waiters.streams[5].In, 2, bell.dead) })
			w.add(func() {
				for range 2 {
					step.Here()
					race.Store(&p.count, race.Load(&p.count)+1)
					if notify(news, p, 5) {
						step.Here()
						bell.Ring()
					}
				}
			})
			return w, func() {}
		})
		if err == nil {
			t.Errorf("%s: no order finds it", name)
		}
	}
}

// lives is a dialer that opens streams and an accepter that takes them, where each
// checks that nobody else uses a slot that it uses.
type lives struct {
	*world
	words    []Life
	users    []uint64 // per slot: the generation whose sides use it
	requests []request
	ended    bool // no more requests come
}

type request struct {
	slot       uint32
	generation uint64
}

func (l *lives) dial(s *Slots, streams int, lingers, givesUp bool) {
	defer func() { l.ended = true }()
	var open []request
	for range streams {
		slot, life, generation, ok := s.Take()
		if !ok {
			sweep(s)
			if slot, life, generation, ok = s.Take(); !ok {
				continue
			}
		}
		step.Here()
		l.users[slot] = generation // what the accepter must find
		life.Begin(generation)
		step.Here()
		r := request{slot, generation}
		l.requests = append(l.requests, r)
		if givesUp {
			if _, err := life.Decide(generation, GivenUp); err != nil {
				l.fail("give up: %v", err)
			}
		}
		if open = append(open, r); lingers && len(open) < streams {
			continue
		}
		for _, r := range open {
			l.expectUser(r)
			s.Leave(r.slot)
		}
		open = nil
	}
}

func (l *lives) accept() {
	for {
		l.Await(func() bool { return len(l.requests) > 0 || l.ended || l.actors[0].Killed() })
		if len(l.requests) == 0 {
			return
		}
		r := l.requests[0]
		l.requests = l.requests[1:]
		decision, err := l.words[r.slot].Decide(r.generation, Accepted)
		if err != nil {
			l.fail("accept: %v", err)
			return
		}
		if decision == Accepted {
			l.expectUser(r)
			step.Here()
			l.expectUser(r)
		}
		if _, err := l.words[r.slot].Leave(r.generation, Accepter); err != nil {
			l.fail("leave: %v", err)
		}
	}
}

func (l *lives) expectUser(r request) {
	if l.users[r.slot] != r.generation {
		l.fail("slot %d has generation %d while a side uses %d", r.slot, l.users[r.slot], r.generation)
	}
}

// TestLifeWorlds has a slot end and begin again while the other side still uses it or
// does not, and either side die at each of its steps.
func TestLifeWorlds(t *testing.T) {
	for name, test := range map[string]struct {
		slots, streams        int
		lingers, givesUp      bool
		interruptions, deaths int
	}{
		"one slot, used again":     {1, 3, false, false, 4, 0},
		"two slots":                {2, 2, true, false, 4, 0},
		"the dialer gives up":      {1, 2, false, true, 4, 0},
		"a side dies":              {2, 2, true, false, 3, 1},
		"a side dies, one gave up": {1, 2, false, true, 3, 1},
	} {
		t.Run(name, func(t *testing.T) {
			explore(t, test.interruptions, test.deaths, func() (*world, func()) {
				l := &lives{world: &world{}, words: make([]Life, test.slots), users: make([]uint64, test.slots)}
				s := &Slots{}
				for i := range l.words {
					s.Add(&l.words[i])
				}
				l.add(func() { l.dial(s, test.streams, test.lingers, test.givesUp) })
				l.add(l.accept)
				return l.world, func() { l.check(s) }
			})
		})
	}
}

// check checks that all slots are free at the end, unless the side died that would
// have freed them.
func (l *lives) check(s *Slots) {
	sweep(s)
	if dialer, accepter := l.actors[0], l.actors[1]; !dialer.Killed() && !accepter.Killed() && s.Used() != 0 {
		l.fail("%d slots are left", s.Used())
	}
}

// TestDecisionWorlds has both sides decide at once: they see the same decision.
func TestDecisionWorlds(t *testing.T) {
	explore(t, 6, 0, func() (*world, func()) {
		w := &world{}
		life := &Life{}
		life.Begin(9)
		var seen [2]Decision
		for side, proposal := range []Decision{GivenUp, Accepted} {
			w.add(func() {
				var err error
				seen[side], err = life.Decide(9, proposal)
				if _, left := life.Leave(9, Side(side)); err != nil || left != nil {
					w.fail("side %d: %v", side, errors.Join(err, left))
				}
			})
		}
		return w, func() {
			if seen[0] != seen[1] || seen[0] == Undecided || !life.Ended(9) {
				w.fail("seen: %v, word %#x", seen, life.word)
			}
		}
	})
}
