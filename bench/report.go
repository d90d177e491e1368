package main

import (
	"encoding/json"
	"os"
	"runtime"
	"time"
)

// report is what a run found out.
type report struct {
	Date        time.Time      `json:"date"`
	Machine     string         `json:"machine"`
	Go          string         `json:"go"`
	Rounds      int            `json:"rounds"`
	LapTime     time.Duration  `json:"lap_ns"`
	Comparisons []comparison   `json:"comparisons"`
	Figures     []figure       `json:"figures"`
	Channel     *channelReport `json:"channel,omitempty"`
	Skipped     []string       `json:"skipped"`
}

func newReport(r *runner) *report {
	return &report{
		Date: time.Now().UTC(), Machine: machine(), Go: runtime.Version(),
		Rounds: r.rounds, LapTime: r.lapTime,
		Comparisons: []comparison{}, Figures: []figure{}, Skipped: []string{},
	}
}

// contest runs a contest and adds what it gave.
func (rep *report) contest(r *runner, c contest) error {
	all, err := r.run(c)
	rep.Comparisons = append(rep.Comparisons, all...)
	return err
}

func (rep *report) skip(what string) { rep.Skipped = append(rep.Skipped, what) }

func (rep *report) writeJSON(path string) error {
	text, err := json.MarshalIndent(rep, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
