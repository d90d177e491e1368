package main

import "time"

// A contest has several ways of doing the same thing take turns, and compares
// them in pairs.
type contest struct {
	Name  string // short: what --run matches begins with it
	Title string
	Cases []benchCase
	Rows  []row
}

// benchCase is one way of doing what a contest is about.
type benchCase struct {
	Name  string
	Lap   lap
	Least int // operations that a lap has, if not 0
}

// A lap does n operations and returns how long they took.
type lap func(n int) (time.Duration, error)

// loop returns a lap of n calls.
func loop(op func() error) lap {
	return timed(func(n int) error {
		for range n {
			if err := op(); err != nil {
				return err
			}
		}
		return nil
	})
}

// timed returns a lap that lasts as long as f. Operations of nanoseconds bring
// their own loop, since a call of a function value would count.
func timed(f func(n int) error) lap {
	return func(n int) (time.Duration, error) {
		start := time.Now()
		err := f(n)
		return time.Since(start), err
	}
}

// row compares two of a contest's cases.
type row struct {
	Ours, Base string // names of cases
	Goal       goal
	Note       string // what a reader has to know
}

// pair adds two cases, of operations that take nanoseconds, and compares them.
func (c *contest) pair(ours string, ourLoop func(n int) error, base string, baseLoop func(n int) error, g goal) {
	c.Cases = append(c.Cases, benchCase{Name: ours, Lap: timed(ourLoop)},
		benchCase{Name: base, Lap: timed(baseLoop)})
	c.Rows = append(c.Rows, row{Ours: ours, Base: base, Goal: g})
}

// measure is how two times are compared.
type measure int

const (
	ratio measure = iota // ours divided by the baseline's
	extra                // ours less the baseline's, in ns
)

// goal is what a comparison or a figure is to come to at most.
type goal struct {
	Measure measure
	Most    float64 // 0 for no target
	Aim     float64 // better still; 0 for none
}

// figure is a result that is not a comparison.
type figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Most  float64 `json:"target,omitempty"`
	Note  string  `json:"note,omitempty"`
}
