//go:build filemap_steps

package channel

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/internal/step"
)

// queueWorld is a queue, and what its actors do with it, each by a handle of its own.
type queueWorld struct {
	step.Schedule
	actors    []*actor
	unordered bool // messages are given back
}

// actor is one process: a handle, and what it was told.
type actor struct {
	q    *Queue
	sent []string // what it was told is sent
	got  []string
}

// play runs the world to its end.
func (s *queueWorld) play(t *testing.T, choose func(n, last, at int) int) {
	t.Helper()
	if err := s.Play(choose); err != nil {
		t.Fatal(err)
	}
}

// tries is how often an actor tries what another may be in the way of.
const tries = 30

func sendAll(messages ...string) func(*actor) {
	return func(a *actor) {
		for _, m := range messages {
			for range tries {
				sent, err := a.q.trySend([]byte(m))
				if err == nil && sent == ring.Done {
					a.sent = append(a.sent, m)
					break
				}
				a.bury(sent, err)
			}
		}
	}
}

func receiveSome(n int) func(*actor) {
	return func(a *actor) {
		for range tries {
			m, received, err := a.q.tryReceive(nil, 1)
			if err == nil && received == ring.Done {
				a.got = append(a.got, string(m))
				if n--; n == 0 {
					return
				}
				continue
			}
			a.bury(received, err)
		}
	}
}

// takeSome takes messages in hand, gives the first one back once, and ends them.
func takeSome(n int) func(*actor) {
	return func(a *actor) {
		gaveBack := false
		for range tries {
			m, took, err := a.q.tryTake(1)
			switch {
			case took != ring.Done:
				a.bury(took, err)
				if _, err := a.q.segment.Peers.ReapAny(a.q.takers()); err != nil {
					panic(err)
				}
				continue
			case !gaveBack:
				gaveBack = true
				err = m.Return()
			default:
				text := string(m.Bytes())
				if err = m.Done(); err == nil {
					a.got = append(a.got, text)
					n--
				}
			}
			if err != nil {
				panic(err)
			}
			if n == 0 {
				return
			}
		}
	}
}

// bury does what waiting would: it reaps the place in the way if its process is dead.
func (a *actor) bury(tried ring.Attempt, err error) {
	if err == nil && tried.Result() == ring.Taken {
		_, err = a.q.segment.Peers.Reap(tried.Owner())
	} else {
		step.Here()
	}
	if err != nil {
		panic(err)
	}
}

// queueWorlds are who does what. The capacity is 4096, and what was there
// before leaves 88 bytes up to the ring's end.
var queueWorlds = map[string][]func(*actor){
	"two send, one receives":  {sendAll("a1", "a2"), sendAll("b1"), receiveSome(3)},
	"one sends, two receive":  {sendAll("a1", "a2", "a3"), receiveSome(2), receiveSome(2)},
	"around the ring's end":   {sendAll("a1"+string(make([]byte, 100)), "a2"), receiveSome(2)},
	"take: two, one sends":    {sendAll("a1", "a2"+string(make([]byte, 100))), takeSome(2), takeSome(2)},
	"a ring that is too full": {sendAll("a1"+string(make([]byte, 2500)), "a2"+string(make([]byte, 2500))), receiveSome(2)},
}

func newQueueWorld(t *testing.T, name string, does []func(*actor)) *queueWorld {
	t.Helper()
	s := &queueWorld{}
	first, err := CreateQueue(name, &QueueOptions{Capacity: 4096})
	if err != nil {
		t.Fatal(err)
	}
	for _, length := range []int{3800, 192} {
		if err := first.Send(t.Context(), bytes.Repeat([]byte{'x'}, length)); err != nil {
			t.Fatal(err)
		}
		if _, err := first.Receive(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	for i, do := range does {
		q := first
		if i > 0 {
			if q, err = OpenQueue(name, nil); err != nil {
				t.Fatal(err)
			}
		}
		a := &actor{q: q}
		s.actors = append(s.actors, a)
		// The mutex of a dead process's place is free.
		s.Add(func() { do(a) }, func() { _ = q.segment.Member.Hold.Unlock() })
	}
	return s
}

// check takes what is left in the queue, and compares: what a live sender sent
// was received once, in its order; a dead one may have sent one message more.
func (s *queueWorld) check(t *testing.T, kills int) {
	t.Helper()
	checker := &actor{q: s.actors[0].q}
	if kills > 0 {
		var err error
		if checker.q, err = OpenQueue(checker.q.segment.Name, nil); err != nil {
			t.Fatal(err)
		}
		defer checker.q.Close()
	}
	if err := checker.q.Send(t.Context(), []byte("end")); err != nil {
		t.Fatal(err)
	}
	checker.expectBlank(t)
	count, total := make(map[string]int), 0
	for m := ""; m != "end"; {
		p, err := checker.q.Receive(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		m = string(p)
		checker.got = append(checker.got, m)
	}
	for _, a := range append(s.actors, checker) {
		last := make(map[byte]byte)
		for _, m := range a.got {
			if m != "end" && m[1] <= last[m[0]] && !s.unordered {
				t.Fatalf("%.2q after %c%c", m, m[0], last[m[0]])
			}
			last[m[0]] = m[1]
			if count[m]++; count[m] > 1 {
				t.Fatalf("%.2q was received twice", m)
			}
		}
	}
	missing := 0
	for _, a := range s.actors {
		for _, m := range a.sent {
			total++
			if count[m] == 0 {
				missing++ // a dead receiver may have taken it along
			}
		}
	}
	if missing > kills {
		t.Fatalf("%d of %d messages are missing", missing, total)
	}
}

// expectBlank checks what senders rely on.
func (a *actor) expectBlank(t *testing.T) {
	t.Helper()
	for at := uint64(0); at < a.q.ring.Size()-a.q.ring.Longest()-8; at += 8 {
		if p := ring.LoadEnd(&a.q.ring.Send.End).Position() + at; a.q.ring.Load(p) != 0 {
			t.Fatalf("%d bytes after the sending end lies %#x", at, a.q.ring.Load(p))
		}
	}
}

func (s *queueWorld) close() {
	for _, a := range s.actors {
		_ = a.q.Close()
	}
}

// TestQueueStepsAll tries all orders with up to two changes from a process that
// could go on to another, and a kill at each step instead of the second.
func TestQueueStepsAll(t *testing.T) {
	for name, does := range queueWorlds {
		t.Run(name, func(t *testing.T) {
			ns := filemaptest.New(t)
			runs := 0
			play := func(choices map[int]int, kills int) (steps int) {
				s := newQueueWorld(t, ns.Name(fmt.Sprint("q", runs)), does)
				s.unordered = strings.HasPrefix(name, "take")
				defer s.close()
				runs++
				s.play(t, func(n, last, at int) int {
					steps = at + 1
					if i, ok := choices[at]; ok {
						return max(i, -n) % n
					}
					return max(last, 0)
				})
				s.check(t, kills)
				return steps
			}
			steps := play(nil, 0)
			for first := range steps {
				for i := range does {
					steps := play(map[int]int{first: i}, 0)
					for second := first + 1; second < steps; second += 9 {
						play(map[int]int{first: i, second: (i + 1) % len(does)}, 0)
					}
				}
			}
			t.Logf("figures: scheduler: %s: %d orders", name, runs)
		})
	}
}

// TestQueueStepsRandom tries orders at random, in which one process dies at a
// random step.
func TestQueueStepsRandom(t *testing.T) {
	const orders = 1500
	for name, does := range queueWorlds {
		t.Run(name, func(t *testing.T) {
			ns := filemaptest.New(t)
			source := rand.New(rand.NewPCG(1, uint64(len(name))))
			for run := range orders {
				s := newQueueWorld(t, ns.Name(fmt.Sprint("q", run)), does)
				s.unordered = strings.HasPrefix(name, "take")
				kills, killAt := 0, source.IntN(60)
				s.play(t, func(n, last, at int) int {
					if at == killAt {
						kills++
						return -1 - source.IntN(n)
					}
					if source.IntN(3) > 0 {
						return max(last, 0)
					}
					return source.IntN(n)
				})
				s.check(t, kills)
				s.close()
			}
			t.Logf("figures: scheduler: %s: %d random orders, with a kill in each", name, orders)
		})
	}
}
