// Command bench measures filemap against bare system calls and against its
// peers, side by side in one run, and prints how they compare.
//
//	go run -C bench .                 all of it, some minutes
//	go run -C bench . --quick         a look, a few minutes
//	go run -C bench . --run '^open/'  what matches contest/ours/baseline
//	go run -C bench . --json FILE     the results for programs, too
//	go run -C bench . --plots DIR     how messages compare, as pictures
//	go run -C bench . --pin           messages between two certain processors
//	go run -C bench . --against DIR   beside another tree of this repository
package main

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/filemap-go/filemap/bench/channels"
	"github.com/filemap-go/filemap/bench/line"
	"github.com/filemap-go/filemap/bench/locks"
	"github.com/filemap-go/filemap/bench/mappings"
	"github.com/filemap-go/filemap/bench/measure"
)

// subjects are what is measured, in this order.
var subjects = []struct {
	name  string
	run   func(*measure.Runner, *measure.Report) error
	roles measure.Roles
}{
	{"mapping", mappings.Run, mappings.Roles},
	{"waitable", locks.Run, locks.Roles},
	{"channel", channels.Run, channels.Roles},
	{"line", func(*measure.Runner, *measure.Report) error { return nil }, line.Roles},
}

func main() {
	if role := os.Getenv(measure.RoleVariable); role != "" {
		exitOn(play(role))
		return
	}
	quick := flag.Bool("quick", false, "fewer and shorter rounds: for a look, not for figures to quote")
	only := flag.String("run", "", "run only what this regular expression matches: contest/ours/baseline")
	jsonFile := flag.String("json", "", "write the results to this file, too")
	plots := flag.String("plots", "", "draw how messages compare, as SVG files in this directory")
	pin := flag.Bool("pin", false, "keep two processes that send messages on a processor each (Linux)")
	against := flag.String("against", "",
		"compare with the tree in this directory, such as a git worktree of an older commit")
	flag.Parse()
	if *against != "" {
		flags := []string{
			"--quick=" + strconv.FormatBool(*quick), "--pin=" + strconv.FormatBool(*pin), "--run", *only,
		}
		exitOn(compareWith(*against, os.Stdout, flags))
		return
	}
	pattern, err := regexp.Compile(*only)
	exitOn(err)

	r := &measure.Runner{
		Rounds: 21, LapTime: 60 * time.Millisecond, Only: pattern, Progress: measure.NewProgress(), Pin: *pin,
	}
	if *quick {
		r.Quick, r.Rounds, r.LapTime = true, 5, 15*time.Millisecond
	}
	results, err := runAll(r)
	exitOn(err)
	results.Print(os.Stdout)
	if *jsonFile != "" {
		exitOn(results.WriteJSON(*jsonFile))
	}
	if *plots != "" {
		exitOn(writePlots(results, *plots))
	}
}

// play is the main function of a child process.
func play(role string) error {
	all := make(measure.Roles)
	for _, subject := range subjects {
		maps.Copy(all, subject.roles)
	}
	do, ok := all[role]
	if !ok {
		return fmt.Errorf("there is no role %q", role)
	}
	return do()
}

func runAll(r *measure.Runner) (*measure.Report, error) {
	remove, err := measure.Isolate()
	if err != nil {
		return nil, err
	}
	defer remove()
	closeLine, err := openLine(r)
	if err != nil {
		return nil, err
	}
	results := measure.NewReport(r)
	for _, subject := range subjects {
		if err := subject.run(r, results); err != nil {
			return nil, fmt.Errorf("%s: %w", subject.name, err)
		}
	}
	r.Progress.Clear()
	results.Finish(r)
	return results, closeLine()
}

// openLine has the runner measure a cache line's round trip, if there are two processors.
func openLine(r *measure.Runner) (closeLine func() error, err error) {
	l, err := line.Open()
	if errors.Is(err, errors.ErrUnsupported) {
		return func() error { return nil }, nil
	} else if err != nil {
		return nil, fmt.Errorf("a cache line: %w", err)
	}
	r.Line = l.RoundTrip
	return l.Close, nil
}

func writePlots(results *measure.Report, directory string) error {
	messages, ok := results.Channel.(*channels.Report)
	if !ok {
		return errors.New("there is nothing to plot: only messages have plots")
	}
	return messages.WritePlots(directory)
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
