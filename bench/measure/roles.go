package measure

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// What makes a process of this program play a part of a benchmark, and what it
// has to know for that.
const (
	RoleVariable = "FILEMAP_BENCH_ROLE"
	NameVariable = "FILEMAP_BENCH_NAME"
	TimeVariable = "FILEMAP_BENCH_TIME"
)

// Roles are main functions of child processes, by the values of RoleVariable.
type Roles map[string]func() error

// Answer prints what a child measured.
func Answer(figures []Figure, err error) error {
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(figures)
}

// InRole returns a child process in a role, with a name for what they share.
func InRole(role, name string) (*exec.Cmd, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	child := exec.Command(program)
	child.Env = append(os.Environ(), RoleVariable+"="+role, NameVariable+"="+name)
	child.Stderr = os.Stderr
	return child, nil
}

// FiguresOf runs a child that measures by itself.
func FiguresOf(role string) ([]Figure, error) {
	child, err := InRole(role, UniqueName(role))
	if err != nil {
		return nil, err
	}
	text, err := child.Output()
	if err != nil {
		return nil, err
	}
	var figures []Figure
	if err := json.Unmarshal(text, &figures); err != nil {
		return nil, fmt.Errorf("the child's answer: %w", err)
	}
	return figures, nil
}

// Quantiles returns the middle and the worst but one in a hundred of some
// durations, as figures in microseconds.
func Quantiles(name string, sample []time.Duration, most50, most99 float64) []Figure {
	var us []float64
	for _, d := range sample {
		us = append(us, float64(d)/1e3)
	}
	return []Figure{
		{Name: name + ", p50", Value: Quantile(us, 0.50), Unit: "us", Most: most50},
		{Name: name + ", p99", Value: Quantile(us, 0.99), Unit: "us", Most: most99},
	}
}
