// Command bench measures filemap against bare system calls and against its
// peers, side by side in one run, and prints how they compare.
//
//	go run -C bench .                 all of it, some minutes
//	go run -C bench . --quick         a look, about a minute
//	go run -C bench . --run '^open/'  what matches contest/ours/baseline
//	go run -C bench . --json FILE     the results for programs, too
//	go run -C bench . --plots DIR     how messages compare, as pictures
//	go run -C bench . --pin           messages between two certain processors
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"time"
)

// subjects are what is measured, in this order.
var subjects = []struct {
	name string
	run  func(*runner, *report) error
}{
	{"mapping", runMapping},
	{"access", runAccess},
	{"many", runMany},
	{"waitable", runWaitable},
	{channelName, runChannel},
}

func main() {
	if role := os.Getenv(roleVariable); role != "" {
		exitOn(play(role))
		return
	}
	quick := flag.Bool("quick", false, "fewer and shorter rounds: for a look, not for figures to quote")
	only := flag.String("run", "", "run only what this regular expression matches: contest/ours/baseline")
	jsonFile := flag.String("json", "", "write the results to this file, too")
	plots := flag.String("plots", "", "draw how messages compare, as SVG files in this directory")
	pin := flag.Bool("pin", false, "keep two processes that send messages on a processor each (Linux)")
	flag.Parse()
	pattern, err := regexp.Compile(*only)
	exitOn(err)

	r := &runner{rounds: 21, lapTime: 60 * time.Millisecond, only: pattern, progress: newProgress(), pin: *pin}
	if *quick {
		r.quick, r.rounds, r.lapTime = true, 5, 15*time.Millisecond
	}
	results, err := runAll(r)
	exitOn(err)
	results.print(os.Stdout)
	if *jsonFile != "" {
		exitOn(results.writeJSON(*jsonFile))
	}
	if *plots != "" {
		exitOn(results.writePlots(*plots))
	}
}

func runAll(r *runner) (*report, error) {
	remove, err := isolate()
	if err != nil {
		return nil, err
	}
	defer remove()
	results := newReport(r)
	for _, subject := range subjects {
		if err := subject.run(r, results); err != nil {
			return nil, fmt.Errorf("%s: %w", subject.name, err)
		}
	}
	r.progress.clear()
	return results, nil
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
