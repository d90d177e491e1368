// Package measure runs what is measured, by turns, and reports it.
package measure

import "time"

// A Contest has several ways of doing the same thing take turns, and compares
// them in pairs.
type Contest struct {
	Name  string // short: what --run matches begins with it
	Title string
	Cases []Case
	Rows  []Row
}

// Case is one way of doing what a contest is about.
type Case struct {
	Name  string
	Lap   Lap
	Least int // operations that a lap has, if not 0
}

// A Lap does n operations and returns how long they took.
type Lap func(n int) (time.Duration, error)

// Loop returns a lap of n calls.
func Loop(op func() error) Lap {
	return Timed(func(n int) error {
		for range n {
			if err := op(); err != nil {
				return err
			}
		}
		return nil
	})
}

// Timed returns a lap that lasts as long as f. Operations of nanoseconds bring
// their own loop, since a call of a function value would count.
func Timed(f func(n int) error) Lap {
	return func(n int) (time.Duration, error) {
		start := time.Now()
		err := f(n)
		return time.Since(start), err
	}
}

// Row compares two of a contest's cases.
type Row struct {
	Ours, Base string // names of cases
	Goal       Goal
	Note       string // what a reader has to know
}

// Pair adds two cases, of operations that take nanoseconds, and compares them.
func (c *Contest) Pair(ours string, ourLoop func(n int) error,
	base string, baseLoop func(n int) error, g Goal,
) {
	c.Cases = append(c.Cases, Case{Name: ours, Lap: Timed(ourLoop)},
		Case{Name: base, Lap: Timed(baseLoop)})
	c.Rows = append(c.Rows, Row{Ours: ours, Base: base, Goal: g})
}

// measure is how two times are compared.
type measure int

const (
	Ratio measure = iota // ours divided by the baseline's
	Extra                // ours less the baseline's, in ns
)

// Goal is what a comparison or a figure is to come to at most.
type Goal struct {
	Measure measure
	Most    float64 // 0 for no target
	Aim     float64 // better still; 0 for none
}

// Figure is a result that is not a comparison.
type Figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Most  float64 `json:"target,omitempty"`
	Note  string  `json:"note,omitempty"`

	Quality
}
