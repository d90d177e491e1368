package measure

import (
	"encoding/json"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/filemap-go/filemap/bench/machine"
)

// Report is what a run found out.
type Report struct {
	Date        time.Time     `json:"date"`
	Machine     string        `json:"machine"`
	Go          string        `json:"go"`
	Rounds      int           `json:"rounds"`
	LapTime     time.Duration `json:"lap_ns"`
	CacheLine   float64       `json:"cache_line_round_trip_ns"` // in the middle of the run
	Comparisons []Comparison  `json:"comparisons"`
	Figures     []Figure      `json:"figures"`
	Channel     Section       `json:"channel,omitempty"`
	Skipped     []string      `json:"skipped"`
}

// Section is a part of a report with tables of its own.
type Section interface {
	Print(w io.Writer)
	Qualities() []*Quality
}

// NewReport returns a report with nothing measured.
func NewReport(r *Runner) *Report {
	return &Report{
		Date: time.Now().UTC(), Machine: machine.Describe(), Go: runtime.Version(),
		Rounds: r.Rounds, LapTime: r.LapTime,
		Comparisons: []Comparison{}, Figures: []Figure{}, Skipped: []string{},
	}
}

// Contest runs a contest and adds what it gave.
func (rep *Report) Contest(r *Runner, c Contest) error {
	all, err := r.run(c)
	rep.Comparisons = append(rep.Comparisons, all...)
	return err
}

// Finish is called when everything is measured.
func (rep *Report) Finish(r *Runner) {
	if len(r.trips) == 0 {
		return
	}
	rep.CacheLine = Median(r.trips)
	var all []*Quality
	for i := range rep.Comparisons {
		all = append(all, &rep.Comparisons[i].Quality)
	}
	for i := range rep.Figures {
		all = append(all, &rep.Figures[i].Quality)
	}
	if rep.Channel != nil {
		all = append(all, rep.Channel.Qualities()...)
	}
	for _, q := range all {
		q.settle(rep.CacheLine)
	}
}

// Add adds figures.
func (rep *Report) Add(figures ...Figure) { rep.Figures = append(rep.Figures, figures...) }

// Skip notes what this machine lacks.
func (rep *Report) Skip(what string) { rep.Skipped = append(rep.Skipped, what) }

// WriteJSON writes the report for programs.
func (rep *Report) WriteJSON(path string) error {
	text, err := json.MarshalIndent(rep, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
