package channels

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/filemap-go/filemap/bench/measure"
)

// Print writes a table for each exercise and size.
func (rep *Report) Print(w io.Writer) {
	rep.printHead(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i, r := range rep.Results {
		if i == 0 || rep.Results[i-1].Exercise != r.Exercise || rep.Results[i-1].Size != r.Size {
			table.Flush()
			fmt.Fprintf(w, "\n%s: %s, %s\n", subject, r.Exercise, r.what())
			fmt.Fprintln(table, heads[r.Exercise])
		}
		switch r.Exercise {
		case oneWay, bulk:
			r.printOneWay(table)
		case idle, crowd:
			r.printIdle(table)
		case setup:
			r.printSetup(table)
		default:
			r.printRoundTrip(table)
		}
	}
	table.Flush()
	rep.printTargets(w)
}

const (
	costHeads = "\tprocessor time\tallocs\tvs baseline\tspan\tvs slots\tvs bytes"
	wayHeads  = "  \tmessages/s\tspan\tGiB/s" + costHeads + "\tof a copy\t"
	idleHeads = "  \tof a processor\tspan\t"
)

var heads = map[exercise]string{
	roundTrip: "  \tp50\tp90\tp99\tp99.9\tmax" + costHeads + "\tcache lines\t",
	setup:     "  \tfirst\tspan\tfurther, p50\tp90\tp99\tvs baseline\tspan\t",
	oneWay:    wayHeads,
	bulk:      wayHeads,
	idle:      idleHeads,
	crowd:     idleHeads,
}

// what says what a table is about, after the exercise.
func (r result) what() string {
	switch r.Exercise {
	case setup:
		return "dial, accept, " + bytesText(r.Size) + " there and back, close"
	case idle:
		return "the processor time of a server that waits for long, after it was busy"
	case crowd:
		return fmt.Sprintf("the processor time of both processes, with %d connections", crowdSize)
	case bulk:
		return bytesText(int(r.Total)) + " in messages of " + bytesText(r.Size)
	}
	return bytesText(r.Size)
}

func (rep *Report) printHead(w io.Writer) {
	pinned := "not pinned"
	if rep.Pinned {
		pinned = "pinned to a processor each (for Go the only one)"
	}
	fmt.Fprintf(w, "\n%s: messages between two processes, %s\n", subject, pinned)
	fmt.Fprintf(w, "  medians of %d rounds; processor time and allocations of a message\n", rep.Rounds)
	fmt.Fprintln(w, "  or round trip: client + server; more than 1.00x is faster than the first line")
	copied := spanOf(rep.CopyRate)
	fmt.Fprintf(w, "  limits: a copy within a process %s GiB/s (%s..%s)",
		measure.Significant(copied.Value/gib), measure.Significant(copied.Low/gib),
		measure.Significant(copied.High/gib))
	if trips := rep.cacheLine(); len(trips) > 0 {
		line := spanOf(trips)
		fmt.Fprintf(w, ", a cache line there and back %s (%s..%s)", measure.Nanoseconds(line.Value),
			measure.Nanoseconds(line.Low), measure.Nanoseconds(line.High))
	}
	fmt.Fprintln(w)
}

const gib = 1 << 30

func (r result) printRoundTrip(w io.Writer) {
	fmt.Fprintf(w, "%s%s\t", r.Mark(), r.Contestant)
	for _, p := range []float64{50, 90, 99, 99.9, 100} {
		fmt.Fprintf(w, "%s\t", measure.Nanoseconds(r.at(p)))
	}
	r.printCosts(w)
	fmt.Fprintf(w, "%s\t\n", measure.Significant(r.Limit.Value))
}

func (r result) printOneWay(w io.Writer) {
	fmt.Fprintf(w, "%s%s\t%s\t%s..%s\t%s\t", r.Mark(), r.Contestant, thousands(r.Messages.Value),
		thousands(r.Messages.Low), thousands(r.Messages.High), measure.Significant(r.Bytes.Value/gib))
	r.printCosts(w)
	fmt.Fprintf(w, "%.1f%%\t\n", 100*r.Limit.Value)
}

func (r result) printSetup(w io.Writer) {
	fmt.Fprintf(w, "%s%s\t%s\t%s..%s\t", r.Mark(), r.Contestant, measure.Nanoseconds(r.First.Value),
		measure.Nanoseconds(r.First.Low), measure.Nanoseconds(r.First.High))
	for _, p := range []float64{50, 90, 99} {
		fmt.Fprintf(w, "%s\t", measure.Nanoseconds(r.at(p)))
	}
	fmt.Fprintf(w, "%sx\t%s..%s\t\n", measure.Significant(r.Speedup.Value),
		measure.Significant(r.Speedup.Low), measure.Significant(r.Speedup.High))
}

func (r result) printIdle(w io.Writer) {
	fmt.Fprintf(w, "%s%s\t%.3f%%\t%.3f..%.3f\t\n", r.Mark(), r.Contestant,
		100*r.Idle.Value, 100*r.Idle.Low, 100*r.Idle.High)
}

// printCosts prints the columns that both exercises have.
func (r result) printCosts(w io.Writer) {
	allocs := "-"
	if r.InGo {
		allocs = fmt.Sprintf("%.1f + %.1f", r.ClientAllocs, r.ServerAllocs)
	}
	fmt.Fprintf(w, "%s + %s\t%s\t%sx\t%s..%s\t%s\t%s\t",
		measure.Nanoseconds(r.ClientTime), measure.Nanoseconds(r.ServerTime), allocs,
		measure.Significant(r.Speedup.Value), measure.Significant(r.Speedup.Low),
		measure.Significant(r.Speedup.High), times(r.SlotRing), times(r.ByteRing))
}

// times prints a ratio, if it was measured.
func times(s span) string {
	if s == (span{}) {
		return "-"
	}
	if s.Value < 0.1 {
		return fmt.Sprintf("%.2gx", s.Value)
	}
	return measure.Significant(s.Value) + "x"
}

// thousands prints a number with a k or an M.
func thousands(v float64) string {
	switch {
	case v >= 1e6:
		return measure.Significant(v/1e6) + "M"
	case v >= 1e3:
		return measure.Significant(v/1e3) + "k"
	}
	return measure.Significant(v)
}
