//go:build filemap_steps

package step

import (
	"errors"
	"slices"
)

// Schedule runs the processes of a small world one step in the shared memory at a
// time, in an order that it chooses, and kills one at a step of its choice. Each
// order is a list of choices: tests try all orders with few changes from one process
// to another, or many at random.
type Schedule struct {
	actors  []*Actor
	current *Actor
	yield   chan bool // the current one is at a step, or has ended
}

// Actor is one process of a Schedule.
type Actor struct {
	does   func()
	died   func() // what the system does after its death, unless nil
	resume chan bool
	waits  func() bool // for what, unless nil
	done   bool
	killed bool
}

// Add adds a process that does something. died is what the system does after its
// death, unless nil.
func (s *Schedule) Add(does, died func()) *Actor {
	a := &Actor{does: does, died: died, resume: make(chan bool)} // false: it is dead
	s.actors = append(s.actors, a)
	return a
}

// Ended reports whether the process has ended, or died.
func (a *Actor) Ended() bool { return a.done }

// Killed reports whether the process has died.
func (a *Actor) Killed() bool { return a.killed }

// Await is a step of the process that calls it: the process goes on when a condition
// holds.
func (s *Schedule) Await(condition func() bool) {
	a := s.current
	a.waits = condition
	Here()
	a.waits = nil
}

// step is what each step of the current actor does: it waits for its turn.
func (s *Schedule) step() {
	a := s.current
	s.yield <- true
	if !<-a.resume {
		Die()
	}
}

func (s *Schedule) start() {
	s.yield = make(chan bool)
	for _, a := range s.actors {
		go func() {
			defer func() {
				a.done = true
				expectKilled(recover())
				s.yield <- true
			}()
			if <-a.resume {
				a.does()
			}
		}()
	}
	Do = s.step
}

// run lets an actor go on to its next step.
func (s *Schedule) run(a *Actor) {
	s.current = a
	a.resume <- true
	<-s.yield
}

// kill ends an actor where it is.
func (s *Schedule) kill(a *Actor) {
	Do = func() {} // a panic on its way is not a step
	a.killed = true
	a.resume <- false
	<-s.yield
	if a.died != nil {
		a.died()
	}
	Do = s.step
}

// stepsMost ends a run in which an actor waits for what does not come.
const stepsMost = 3000

// ErrEndless: a run took too many steps. ErrDeadlock: all that live wait.
var (
	ErrEndless  = errors.New("it does not end")
	ErrDeadlock = errors.New("deadlock: all processes wait")
)

// Play runs the world to its end. choose says which of so many actors that can go on
// goes next, or -1-i to kill the ith; last is the one that has gone before, or -1 if
// that has ended or waits.
func (s *Schedule) Play(choose func(n, last, at int) int) error {
	s.start()
	defer func() { Do = func() {} }()
	var last *Actor
	for at := range stepsMost {
		live := slices.DeleteFunc(slices.Clone(s.actors), (*Actor).Ended)
		ready := slices.DeleteFunc(slices.Clone(live), func(a *Actor) bool { return a.waits != nil && !a.waits() })
		switch {
		case len(live) == 0:
			return nil
		case len(ready) == 0:
			for _, a := range live {
				s.kill(a)
			}
			return ErrDeadlock
		}
		i := choose(len(ready), slices.Index(ready, last), at)
		if i < 0 {
			last = ready[-1-i]
			s.kill(last)
		} else {
			last = ready[i]
			s.run(last)
		}
	}
	return ErrEndless
}
