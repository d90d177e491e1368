//go:build filemap_steps

package step

import "errors"

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
	done   bool
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
	Do = func() {} // a panic on its way is no step
	a.resume <- false
	<-s.yield
	if a.died != nil {
		a.died()
	}
	Do = s.step
}

// stepsMost ends a run in which an actor waits for what does not come.
const stepsMost = 3000

// ErrEndless: a run took too many steps.
var ErrEndless = errors.New("it does not end")

// Play runs the world to its end. choose says which of so many live actors goes
// next, or -1-i to kill the ith; last is the one that has gone before.
func (s *Schedule) Play(choose func(n, last, at int) int) error {
	s.start()
	defer func() { Do = func() {} }()
	live := append([]*Actor(nil), s.actors...)
	last := 0
	for at := 0; len(live) > 0; at++ {
		if at == stepsMost {
			return ErrEndless
		}
		i := choose(len(live), last, at)
		if i < 0 {
			i = -1 - i
			s.kill(live[i])
		} else {
			s.run(live[i])
		}
		if last = i; live[i].done {
			live = append(live[:i], live[i+1:]...)
			last = 0
		}
	}
	return nil
}
