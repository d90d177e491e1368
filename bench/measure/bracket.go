package measure

// Tolerance is how many times longer or shorter than in the middle of a run a cache
// line's round trip may be before and after a figure that is to be quoted.
const Tolerance = 1.5

// Bracket is a cache line's round trip right before and right after something, in
// nanoseconds. Both are 0 if there are no two processors.
type Bracket struct {
	Before float64 `json:"before_ns"`
	After  float64 `json:"after_ns"`
}

// Bracket calls f between two round trips of a cache line.
func (r *Runner) Bracket(f func() error) (b Bracket, err error) {
	if r.Line == nil {
		return b, f()
	}
	if b.Before, err = r.Line(); err != nil {
		return b, err
	}
	if err := f(); err != nil {
		return b, err
	}
	b.After, err = r.Line()
	r.trips = append(r.trips, b.Before, b.After)
	return b, err
}

// Middle returns the round trip in the middle.
func (b Bracket) Middle() float64 { return (b.Before + b.After) / 2 }

// strays says whether a round trip is too far from the one in the middle of the run.
func (b Bracket) strays(middle float64) bool {
	return min(b.Before, b.After)*Tolerance < middle || max(b.Before, b.After) > middle*Tolerance
}

// Quality has the brackets of a figure's rounds, and what they say of it.
type Quality struct {
	Line  []Bracket `json:"cache_line,omitempty"`
	Doubt bool      `json:"not_to_be_quoted,omitempty"`
}

// settle says whether the figure is not to be quoted: more than a quarter of its rounds
// strayed, so that the span of half of the rounds may show it.
func (q *Quality) settle(middle float64) {
	strayed := 0
	for _, b := range q.Line {
		if b.strays(middle) {
			strayed++
		}
	}
	q.Doubt = 4*strayed > len(q.Line)
}

// Mark returns what stands before a row of a table.
func (q Quality) Mark() string {
	if q.Doubt {
		return "! "
	}
	return "  "
}

// Between gives figures the bracket that they were measured in.
func Between(figures []Figure, b Bracket) []Figure {
	for i := range figures {
		figures[i].Line = []Bracket{b}
	}
	return figures
}
