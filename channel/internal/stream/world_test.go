//go:build filemap_steps

package stream

import (
	"fmt"
	"testing"

	"github.com/filemap-go/filemap/internal/step"
)

// A world is a few actors that share memory. They run one step at a time, in all
// orders in which one is interrupted up to so many times, and up to so many die at any
// step. An actor can wait for a condition: if all that live wait, a wake-up was lost.
type world struct {
	actors  []*actor
	current *actor
	yield   chan struct{}
	wrong   error
}

type actor struct {
	does   func()
	resume chan bool   // false: it dies
	waits  func() bool // nil, or when it can go on
	ended  bool        // also by death
	died   bool
}

type killed struct{}

func (w *world) add(does func()) *actor {
	a := &actor{does: does, resume: make(chan bool)}
	w.actors = append(w.actors, a)
	return a
}

func (w *world) fail(format string, args ...any) {
	if w.wrong == nil {
		w.wrong = fmt.Errorf(format, args...)
	}
}

// await is a step that is over when a condition holds.
func (w *world) await(condition func() bool) {
	w.current.waits = condition
	step.Here()
	w.current.waits = nil
}

func (w *world) start() {
	w.yield = make(chan struct{})
	for _, a := range w.actors {
		go func() {
			defer func() {
				a.ended = true
				if cause := recover(); cause != nil && cause != (killed{}) {
					panic(cause)
				}
				w.yield <- struct{}{}
			}()
			if <-a.resume {
				a.does()
			}
		}()
	}
	step.Do = func() {
		a := w.current
		w.yield <- struct{}{}
		if !<-a.resume {
			panic(killed{})
		}
	}
}

// run lets an actor go on to its next step, or die.
func (w *world) run(a *actor, lives bool) {
	w.current = a
	if do := step.Do; !lives {
		a.died = true
		step.Do = func() {} // what is deferred is no step
		defer func() { step.Do = do }()
	}
	a.resume <- lives
	<-w.yield
}

// play runs the world to its end, in the explorer's next order.
func (w *world) play(e *explorer) {
	w.start()
	defer func() { step.Do = func() {} }()
	last := 0
	for {
		var ready []int
		living := 0
		for i, a := range w.actors {
			if a.ended {
				continue
			}
			living++
			if a.waits == nil || a.waits() {
				ready = append(ready, i)
			}
		}
		if living == 0 {
			return
		}
		if len(ready) == 0 {
			w.fail("a wake-up was lost")
			for _, a := range w.actors {
				if !a.ended {
					w.run(a, false)
				}
			}
			return
		}
		next, dies := e.choose(ready, last)
		w.run(w.actors[next], !dies)
		last = next
	}
}

// explorer goes through the orders. Each run repeats the choices of the one before, up
// to where it differs.
type explorer struct {
	interruptions, deaths int
	path                  []fork
	at                    int
	interrupted, dead     int
}

type fork struct{ taken, ways int }

func (e *explorer) advance() bool {
	e.at, e.interrupted, e.dead = 0, 0, 0
	for len(e.path) > 0 {
		last := &e.path[len(e.path)-1]
		if last.taken++; last.taken < last.ways {
			return true
		}
		e.path = e.path[:len(e.path)-1]
	}
	return false
}

type choice struct {
	actor       int
	dies, costs bool
}

func (e *explorer) choose(ready []int, last int) (actor int, dies bool) {
	var ways []choice
	canGoOn := false
	for _, i := range ready {
		if i == last {
			ways, canGoOn = append(ways, choice{actor: i}), true
		}
	}
	for _, i := range ready {
		if i != last && (!canGoOn || e.interrupted < e.interruptions) {
			ways = append(ways, choice{actor: i, costs: canGoOn})
		}
	}
	if canGoOn && e.dead < e.deaths {
		ways = append(ways, choice{actor: last, dies: true})
	}
	way := ways[e.fork(len(ways))]
	if way.costs {
		e.interrupted++
	}
	if way.dies {
		e.dead++
	}
	return way.actor, way.dies
}

func (e *explorer) fork(ways int) int {
	if ways == 1 {
		return 0
	}
	if e.at == len(e.path) {
		e.path = append(e.path, fork{0, ways})
	}
	e.at++
	return e.path[e.at-1].taken
}

// explore plays a world in all orders.
func explore(t *testing.T, interruptions, deaths int, make func() (*world, func())) {
	t.Helper()
	if err := findWrong(t, interruptions, deaths, make); err != nil {
		t.Error(err)
	}
}

func findWrong(t *testing.T, interruptions, deaths int, make func() (*world, func())) error {
	e := explorer{interruptions: interruptions, deaths: deaths}
	runs := 0
	for more := true; more; more = e.advance() {
		w, check := make()
		w.play(&e)
		if check(); w.wrong != nil {
			return fmt.Errorf("order %d: %w", runs, w.wrong)
		}
		runs++
	}
	t.Logf("figures: scheduler: %s: %d orders", t.Name(), runs)
	return nil
}
