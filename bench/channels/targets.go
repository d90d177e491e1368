package channels

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/filemap-go/filemap/bench/measure"
)

// target is how many times another reading one is to be, or what it is to be by
// itself: at most or at least.
type target struct {
	on, than    reading
	most, least float64
}

// reading is a value that each round gives: of a contestant in a task, or a
// limit of the hardware.
type reading struct {
	contestant string
	task
	quantity
}

// quantity is a value of a bout with messages of a size.
type quantity struct {
	name string
	of   func(b boutResult, size int) float64
}

// oneCopy is the limit that a copy is, as cacheLine is one.
const oneCopy = "copy"

// targetResult is what a target came to, by the median round.
type targetResult struct {
	On    string  `json:"on"`
	Than  string  `json:"than,omitempty"`
	Value span    `json:"value"`
	Most  float64 `json:"most,omitempty"`
	Least float64 `json:"least,omitempty"`
	Lacks bool    `json:"not_measured,omitempty"` // what it is to be compared with
	measure.Quality
}

// judge returns the targets that are on what this run measured.
func (s *series) judge(targets []target) (all []targetResult) {
	for _, t := range targets {
		on := s.cellOf(t.on)
		if on == nil {
			continue
		}
		result := targetResult{On: t.on.String(), Most: t.most, Least: t.least}
		values := t.on.values(on)
		result.Line = on.line()
		if t.than.contestant != "" {
			result.Than = t.than.String()
			than, line := s.read(t.than, on)
			result.Lacks = than == nil
			result.Line = append(result.Line, line...)
			values = ratios(values, than)
		}
		result.Value = spanOf(values)
		all = append(all, result)
	}
	return all
}

// ratios has a value for each of both.
func ratios(values, than []float64) (all []float64) {
	for i := range min(len(values), len(than)) {
		all = append(all, values[i]/than[i])
	}
	return all
}

// read returns what each round gave of what a cell is compared with, or nil, and the
// brackets of that.
func (s *series) read(r reading, on *cell) (values []float64, line []measure.Bracket) {
	switch r.contestant {
	case cacheLine:
		return each(on.rounds, boutResult.cacheLine), nil
	case oneCopy:
		return between(s.copyRate), nil
	}
	c := s.cellOf(r)
	if c == nil {
		return nil, nil
	}
	return r.values(c), c.line()
}

// cellOf returns the cell that a reading is of, or nil.
func (s *series) cellOf(r reading) *cell {
	i := slices.IndexFunc(s.cells, func(c *cell) bool {
		return c.contestant.name == r.contestant && c.task == r.task
	})
	if i < 0 {
		return nil
	}
	return s.cells[i]
}

func (r reading) values(c *cell) []float64 {
	return each(c.rounds, func(b boutResult) float64 { return r.of(b, r.size) })
}

// between returns what a limit was in each round, if it was measured before the
// first one and after each.
func between(limits []float64) (rounds []float64) {
	for i := 1; i < len(limits); i++ {
		rounds = append(rounds, (limits[i-1]+limits[i])/2)
	}
	return rounds
}

// String is like what --run matches.
func (r reading) String() string {
	if r.of == nil {
		return "limit: " + r.contestant
	}
	return fmt.Sprintf("%s, %s", pathOf(r.task, r.contestant), r.name)
}

func (t targetResult) verdict() string {
	switch {
	case t.Lacks:
		return "not measured"
	case t.Least != 0:
		return measure.JudgeLeast(t.Value.Value, t.Least)
	}
	return measure.Judge(t.Value.Value, t.Most, 0)
}

func (rep *Report) printTargets(w io.Writer) {
	if len(rep.Targets) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s: targets, each by the median round\n", subject)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  what\tdivided by\tis\tspan\ttarget\t")
	for _, t := range rep.Targets {
		fmt.Fprintf(table, "%s%s\t%s\t%s\t%s..%s\t%s\t\n", t.Mark(), t.On, t.Than,
			measure.Significant(t.Value.Value),
			measure.Significant(t.Value.Low), measure.Significant(t.Value.High),
			t.verdict())
	}
	table.Flush()
}
