package measure

import (
	"fmt"
	"regexp"
	"runtime"
	"runtime/metrics"
	"time"
)

// Runner runs contests: all cases of one take turns, so that what else the
// machine does meets them alike, and a pair is compared within its round.
type Runner struct {
	Rounds   int
	LapTime  time.Duration // about how long one case goes on in one round
	Quick    bool          // these are few and short
	Pin      bool          // two processes that talk stay on a processor each
	Only     *regexp.Regexp
	Progress *Progress

	// Line measures a cache line's round trip, in nanoseconds; it is nil if there are no
	// two processors.
	Line  func() (float64, error)
	trips []float64 // all of them
}

// Comparison is the outcome of a row. A round gives one value: the row's is
// the median, and half of the rounds lie from Low to High.
type Comparison struct {
	Contest string  `json:"contest"`
	Title   string  `json:"title"`
	Ours    outcome `json:"ours"`
	Base    outcome `json:"baseline"`
	Measure string  `json:"measure"` // "ratio" or "extra ns"
	Value   float64 `json:"value"`
	Low     float64 `json:"low"`
	High    float64 `json:"high"`
	Most    float64 `json:"target,omitempty"`
	Aim     float64 `json:"aim,omitempty"`
	Note    string  `json:"note,omitempty"`
	Quality
}

// outcome is what one case took, by the median round.
type outcome struct {
	Name   string  `json:"name"`
	NS     float64 `json:"ns_per_op"`
	Allocs float64 `json:"allocs_per_op"`
}

// runCase is a case under way.
type runCase struct {
	Case
	n      int // operations a lap
	allocs float64
	ns     []float64 // an operation, by round
}

// run runs the rows of a contest that are asked for.
func (r *Runner) run(c Contest) ([]Comparison, error) {
	rows := r.wanted(c)
	cases := make(map[string]*runCase)
	var order []*runCase
	for _, one := range c.Cases {
		if used(rows, one.Name) {
			cases[one.Name] = &runCase{Case: one}
			order = append(order, cases[one.Name])
		}
	}
	for _, one := range order {
		r.Progress.Show("%s: calibrating %s", c.Name, one.Name)
		if err := r.calibrate(one); err != nil {
			return nil, fmt.Errorf("%s, %s: %w", c.Name, one.Name, err)
		}
	}
	var line []Bracket
	for round := range r.Rounds {
		b, err := r.Bracket(func() error { return r.round(c, order, round) })
		if err != nil {
			return nil, err
		}
		line = append(line, b)
	}
	var all []Comparison
	for _, row := range rows {
		one := compare(c, row, cases[row.Ours], cases[row.Base])
		one.Line = line
		all = append(all, one)
	}
	return all, nil
}

// round has each case take its turn.
func (r *Runner) round(c Contest, order []*runCase, round int) error {
	for i := range order {
		one := order[(i+round)%len(order)]
		r.Progress.Show("%s: round %d of %d, %s", c.Name, round+1, r.Rounds, one.Name)
		if err := one.round(); err != nil {
			return fmt.Errorf("%s, %s: %w", c.Name, one.Name, err)
		}
	}
	return nil
}

func (r *Runner) wanted(c Contest) []Row {
	var rows []Row
	for _, row := range c.Rows {
		if r.Only.MatchString(c.Name + "/" + row.Ours + "/" + row.Base) {
			rows = append(rows, row)
		}
	}
	return rows
}

func used(rows []Row, name string) bool {
	for _, row := range rows {
		if row.Ours == name || row.Base == name {
			return true
		}
	}
	return false
}

// calibrate finds out how many operations make a lap, and counts allocations.
func (r *Runner) calibrate(one *runCase) error {
	const enough = 5 // a fifth of a lap tells how long a whole one takes
	for one.n = max(1, one.Least); ; one.n *= 2 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		took, err := one.Lap(one.n)
		if err != nil {
			return err
		}
		runtime.ReadMemStats(&after)
		if took >= r.LapTime/enough {
			one.allocs = float64((after.Mallocs - before.Mallocs) / uint64(one.n))
			one.n = max(one.Least, 1, int(float64(one.n)*float64(r.LapTime)/float64(took)))
			return nil
		}
	}
}

func (one *runCase) round() error {
	Collect() // each case pays for its own garbage only
	took, err := one.Lap(one.n)
	one.ns = append(one.ns, float64(took.Nanoseconds())/float64(one.n))
	return err
}

// Collect collects garbage, and waits for what is to be done for it.
func Collect() {
	runtime.GC()
	counts := []metrics.Sample{
		{Name: "/gc/cleanups/queued:cleanups"},
		{Name: "/gc/cleanups/executed:cleanups"},
	}
	for metrics.Read(counts); counts[0].Value.Uint64() != counts[1].Value.Uint64(); metrics.Read(counts) {
		runtime.Gosched()
	}
}

func compare(c Contest, row Row, ours, base *runCase) Comparison {
	values := make([]float64, len(ours.ns))
	for i := range values {
		if row.Goal.Measure == Extra {
			values[i] = ours.ns[i] - base.ns[i]
		} else {
			values[i] = ours.ns[i] / base.ns[i]
		}
	}
	return Comparison{
		Contest: c.Name, Title: c.Title,
		Ours: ours.outcome(), Base: base.outcome(),
		Measure: row.Goal.Measure.String(),
		Value:   Median(values), Low: Quantile(values, 0.25), High: Quantile(values, 0.75),
		Most: row.Goal.Most, Aim: row.Goal.Aim, Note: row.Note,
	}
}

func (one *runCase) outcome() outcome {
	return outcome{Name: one.Name, NS: Median(one.ns), Allocs: one.allocs}
}

func (m measure) String() string {
	if m == Extra {
		return "extra ns"
	}
	return "ratio"
}
