package main

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
	roleVariable = "FILEMAP_BENCH_ROLE"
	nameVariable = "FILEMAP_BENCH_NAME"
	timeVariable = "FILEMAP_BENCH_TIME"
)

// roles are the main functions of child processes.
var roles = map[string]func() error{
	manyRole:    func() error { return answer(measureMany()) },
	crowdRole:   func() error { return answer(measureCrowd()) },
	echoRole:    echo,
	futexRole:   futexEcho,
	ownerRole:   own,
	fightRole:   fight,
	flockRole:   fightByFlock,
	channelRole: playChannel,
}

// play is the main function of a child process.
func play(role string) error {
	do, ok := roles[role]
	if !ok {
		return fmt.Errorf("there is no role %q", role)
	}
	return do()
}

func answer(figures []figure, err error) error {
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(figures)
}

// inRole returns a child process in a role, with a name for what they share.
func inRole(role, name string) (*exec.Cmd, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	child := exec.Command(program)
	child.Env = append(os.Environ(), roleVariable+"="+role, nameVariable+"="+name)
	child.Stderr = os.Stderr
	return child, nil
}

// figuresOf runs a child that measures by itself.
func figuresOf(role string) ([]figure, error) {
	child, err := inRole(role, uniqueName(role))
	if err != nil {
		return nil, err
	}
	text, err := child.Output()
	if err != nil {
		return nil, err
	}
	var figures []figure
	if err := json.Unmarshal(text, &figures); err != nil {
		return nil, fmt.Errorf("the child's answer: %w", err)
	}
	return figures, nil
}

// quantiles returns the middle and the worst but one in a hundred of some
// durations, as figures in microseconds.
func quantiles(name string, sample []time.Duration, most50, most99 float64) []figure {
	var us []float64
	for _, d := range sample {
		us = append(us, float64(d)/1e3)
	}
	return []figure{
		{Name: name + ", p50", Value: quantile(us, 0.50), Unit: "us", Most: most50},
		{Name: name + ", p99", Value: quantile(us, 0.99), Unit: "us", Most: most99},
	}
}
