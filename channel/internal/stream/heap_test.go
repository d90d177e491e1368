package stream

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/filemap-go/filemap/internal/race"
)

// heapBell is a bell within a process. It counts what a system would do.
type heapBell struct {
	rung   chan struct{}
	sleeps atomic.Int64
}

func newHeapBell() *heapBell { return &heapBell{rung: make(chan struct{}, 1)} }

func (b *heapBell) Sleep(ctx context.Context) error {
	b.sleeps.Add(1)
	select {
	case <-b.rung:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (b *heapBell) Ring() {
	select {
	case b.rung <- struct{}{}:
	default:
	}
}

// heapSide is one side of a session in the memory of this process.
type heapSide struct {
	news    News
	bell    *heapBell
	waiters *Waiters
}

func newHeapSide() *heapSide {
	s := &heapSide{bell: newHeapBell()}
	s.waiters = NewWaiters(&s.news, s.bell, unguarded)
	return s
}

func unguarded(f func() error) error { return f() }

// sweep is [Slots.Sweep] where all memory can be touched.
func sweep(s *Slots) {
	s.Sweep(func(_ uint32, life *Life, generation uint64) bool { return life.Ended(generation) })
}

// counter is one direction of a stream.
type counter struct {
	count uint64
	flag  uint64
}

func (s *heapSide) raise(c *counter, slot uint32) {
	race.Store(&c.count, race.Load(&c.count)+1)
	if IsAwaited(&c.flag) && s.news.Tell(slot) {
		s.bell.Ring()
	}
}

// await waits until a count is n.
func (s *heapSide) await(ctx context.Context, c *counter, me *Waiter, n uint64) error {
	for race.Load(&c.count) < n {
		race.Store(&c.flag, 1)
		if race.Load(&c.count) >= n {
			break
		}
		if err := s.waiters.Wait(ctx, me); err != nil {
			return err
		}
	}
	race.Store(&c.flag, 0)
	return nil
}

// TestManyStreams has many streams of a session answer each other. Waits end by their
// contexts meanwhile, so the lead passes on in every way.
func TestManyStreams(t *testing.T) {
	const streams, rounds = 40, 60
	sides := [2]*heapSide{newHeapSide(), newHeapSide()}
	var counters [streams][2]counter
	var running sync.WaitGroup
	for slot := range uint32(streams) {
		for side := range 2 {
			mine, other := sides[side], sides[1-side]
			in, out := &counters[slot][side], &counters[slot][1-side]
			s := mine.waiters.Add(slot * 100)
			random := rand.New(rand.NewPCG(uint64(slot), uint64(side)))
			running.Go(func() {
				for n := range uint64(rounds) {
					if side == 0 {
						other.raise(out, slot*100)
					}
					for err := errors.New("not yet"); err != nil; {
						ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+random.IntN(2000))*time.Microsecond)
						err = mine.await(ctx, in, &s.In, n+1)
						cancel()
						if t.Context().Err() != nil {
							return
						}
					}
					if side == 1 {
						other.raise(out, slot*100)
					}
				}
				if left := mine.waiters.Remove(slot * 100); left < 0 || left >= streams {
					t.Errorf("%d streams are left", left)
				}
			})
		}
	}
	running.Wait()
	for i, s := range sides {
		if s.waiters.Len() != 0 || len(s.waiters.lead) != 1 || s.waiters.leader.Load() != nil || s.news.sleeping != 0 {
			t.Errorf("side %d: something is left", i)
		}
	}
}

// TestWaitersSleepOnce has a thousand goroutines wait: one of them sleeps, and again only
// after it was woken.
func TestWaitersSleepOnce(t *testing.T) {
	const streams = 1000
	s := newHeapSide()
	counters := make([]counter, streams)
	var running sync.WaitGroup
	for slot := range uint32(streams) {
		waiter := s.waiters.Add(slot)
		running.Go(func() {
			if err := s.await(t.Context(), &counters[slot], &waiter.Out, 1); err != nil {
				t.Error(err)
			}
		})
	}
	for s.bell.sleeps.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	for slot := range uint32(streams) {
		if n := s.bell.sleeps.Load(); n > 2*int64(slot)+2 {
			t.Fatalf("%d sleeps for %d changes", n, slot)
		}
		s.raise(&counters[slot], slot)
	}
	running.Wait()
}

// TestLeadIsPassedOn has the leader's context end, and then its own news come: each
// time another waiter leads.
func TestLeadIsPassedOn(t *testing.T) {
	s := newHeapSide()
	first, second := s.waiters.Add(1), s.waiters.Add(2)
	ctx, cancel := context.WithCancelCause(t.Context())
	led := make(chan error)
	go func() { led <- s.waiters.Wait(ctx, &first.In) }()
	for s.waiters.leader.Load() != &first.In {
		time.Sleep(time.Millisecond)
	}
	followed := make(chan error)
	go func() { followed <- s.waiters.Wait(t.Context(), &second.In) }()
	cause := errors.New("cause")
	cancel(cause)
	if err := <-led; err != cause {
		t.Fatal("the leader returned", err)
	}
	for s.waiters.leader.Load() != &second.In {
		time.Sleep(time.Millisecond)
	}
	s.waiters.Wake(second)
	if err := <-followed; err != nil {
		t.Fatal(err)
	}
	if s.waiters.leader.Load() != nil || len(s.waiters.lead) != 1 {
		t.Error("the lead is not free")
	}
}

// TestWakeAll is what ends all waits of a session.
func TestWakeAll(t *testing.T) {
	s := newHeapSide()
	var running sync.WaitGroup
	for slot := range uint32(20) {
		waiter := s.waiters.Add(slot)
		running.Go(func() { _ = s.waiters.Wait(t.Context(), &waiter.In) })
		running.Go(func() { _ = s.waiters.Wait(t.Context(), &waiter.Out) })
	}
	s.waiters.WakeAll()
	running.Wait()
}

// TestNewsWithoutEnd has the other side bring news of other slots all the time: a wait
// still ends with its context.
func TestNewsWithoutEnd(t *testing.T) {
	s := newHeapSide()
	s.waiters = NewWaiters(&s.news, s.bell, func(f func() error) error {
		s.news.Tell(2)
		return f()
	})
	waiter := s.waiters.Add(1)
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, errors.New("time"))
	defer cancel()
	if err := s.waiters.Wait(ctx, &waiter.In); err == nil || err.Error() != "time" {
		t.Error("the wait returned", err)
	}
}

func TestAddTwice(t *testing.T) {
	s := newHeapSide()
	if s.waiters.Add(3) == nil || s.waiters.Add(3) != nil {
		t.Error("a slot has two streams")
	}
	if s.waiters.Remove(3) != 0 || s.waiters.Add(3) == nil {
		t.Error("a slot can't be used again")
	}
}

// TestNews has every slot be told of.
func TestNews(t *testing.T) {
	var n News
	want := map[uint32]bool{}
	for slot := uint32(0); slot < Most; slot += 37 {
		n.Tell(slot)
		want[slot] = true
	}
	if !n.Take(func(slot uint32) {
		if !want[slot] {
			t.Errorf("news of slot %d", slot)
		}
		delete(want, slot)
	}) || len(want) != 0 {
		t.Errorf("%d slots are missing", len(want))
	}
	if n.Take(func(uint32) {}) {
		t.Error("there is news left")
	}
}

// TestSlots takes slots, low ones first, and gives them back in any order.
func TestSlots(t *testing.T) {
	const n = 200
	lives := make([]Life, n)
	var s Slots
	for i := range lives {
		s.Add(&lives[i])
	}
	generations := map[uint64]bool{}
	take := func() uint32 {
		slot, life, generation, ok := s.Take()
		if !ok || life != &lives[slot] || generations[generation] {
			t.Fatalf("slot %d, generation %d, %v", slot, generation, ok)
		}
		generations[generation] = true
		life.Begin(generation)
		return slot
	}
	for want := range uint32(n) {
		if got := take(); got != want {
			t.Fatalf("slot %d, want %d", got, want)
		}
	}
	if _, _, _, ok := s.Take(); ok {
		t.Fatal("there are more slots than there are")
	}
	s.Leave(150)
	sweep(&s)
	if s.Used() != n {
		t.Error("a slot is free that the accepter has not left")
	}
	if ended, err := lives[150].Leave(s.slots[150].generation, Accepter); !ended || err != nil {
		t.Error(ended, err)
	}
	sweep(&s)
	for slot := n - 1; slot >= 100; slot-- {
		if slot != 150 {
			s.Drop(uint32(slot))
		}
	}
	if s.Used() != 100 || s.End() != 100 {
		t.Errorf("%d used, end %d", s.Used(), s.End())
	}
	if s.Cut(s.End()); s.Len() != 100 {
		t.Error("cut to", s.Len())
	}
	if _, _, _, ok := s.Take(); ok {
		t.Error("a slot that was cut is free")
	}
	s.Drop(40)
	if got := take(); got != 40 {
		t.Error("slot", got)
	}
}

// TestLife has each step of a stream, and then another stream in its slot.
func TestLife(t *testing.T) {
	var life Life
	life.Begin(1)
	if d, err := life.Decision(1); d != Undecided || err != nil {
		t.Fatal(d, err)
	}
	for _, proposal := range []Decision{Accepted, GivenUp, Refused} {
		if d, err := life.Decide(1, proposal); d != Accepted || err != nil {
			t.Fatal(d, err)
		}
	}
	for range 2 { // the second changes nothing
		if ended, err := life.Leave(1, Accepter); ended || err != nil {
			t.Fatal(ended, err)
		}
	}
	if ended, err := life.Leave(1, Dialer); !ended || err != nil {
		t.Fatal(ended, err)
	}
	life.Begin(2)
	if _, err := life.Leave(1, Accepter); err == nil {
		t.Error("a stream that has ended was left")
	}
	if d, err := life.Decision(2); d != Undecided || err != nil {
		t.Fatal(d, err)
	}
}
