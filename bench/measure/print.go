package measure

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"
)

// Print writes the report as tables.
func (rep *Report) Print(w io.Writer) {
	fmt.Fprintf(w, "%s; %s; %s\n", rep.Machine, rep.Go, rep.Date.Format(time.DateOnly))
	fmt.Fprintf(w, "medians of %d interleaved rounds of %v; half of the rounds lie in the span\n",
		rep.Rounds, rep.LapTime)
	rep.printLine(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	contest := ""
	for _, c := range rep.Comparisons {
		if c.Contest != contest {
			contest = c.Contest
			table.Flush()
			fmt.Fprintf(w, "\n%s: %s\n", c.Contest, c.Title)
			fmt.Fprintln(table, "  filemap\ttime\tallocs\tbaseline\ttime\t"+c.Measure+"\tspan\ttarget\t")
		}
		fmt.Fprintf(table, "%s%s\t%s\t%.0f\t%s\t%s\t%s\t%s..%s\t%s\t\n",
			c.Mark(), c.Ours.Name, Nanoseconds(c.Ours.NS), c.Ours.Allocs, c.Base.Name, Nanoseconds(c.Base.NS),
			c.number(c.Value), c.number(c.Low), c.number(c.High), c.verdict())
	}
	table.Flush()
	rep.printFigures(w, table)
	if rep.Channel != nil {
		rep.Channel.Print(w)
	}
	rep.printNotes(w)
}

// printLine says what the marks of rows mean.
func (rep *Report) printLine(w io.Writer) {
	if rep.CacheLine == 0 {
		fmt.Fprintln(w, "NOT TO BE QUOTED: there are no two processors")
		return
	}
	fmt.Fprintf(w, "a cache line there and back, before and after each round: %s in the middle;\n",
		Nanoseconds(rep.CacheLine))
	fmt.Fprintf(w, "a row with ! is NOT TO BE QUOTED: that was %g times longer or shorter "+
		"in more than a quarter of its rounds\n", Tolerance)
}

func (rep *Report) printFigures(w io.Writer, table *tabwriter.Writer) {
	if len(rep.Figures) == 0 {
		return
	}
	fmt.Fprintln(w)
	for _, f := range rep.Figures {
		fmt.Fprintf(table, "%s%s\t%s %s\t%s\t\n",
			f.Mark(), f.Name, Significant(f.Value), f.Unit, Judge(f.Value, f.Most, 0))
	}
	table.Flush()
}

// printNotes tells what a reader of the tables has to know.
func (rep *Report) printNotes(w io.Writer) {
	told := make(map[string]bool)
	tell := func(subject, note string) {
		if line := subject + ": " + note; note != "" && !told[line] {
			told[line] = true
			fmt.Fprintln(w, line)
		}
	}
	fmt.Fprintln(w)
	for _, c := range rep.Comparisons {
		tell(c.Ours.Name+" : "+c.Base.Name, c.Note)
	}
	for _, f := range rep.Figures {
		tell(f.Name, f.Note)
	}
	for _, what := range rep.Skipped {
		fmt.Fprintln(w, "skipped:", what)
	}
}

func (c Comparison) number(v float64) string {
	if c.Measure == Extra.String() {
		return fmt.Sprintf("%+.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func (c Comparison) verdict() string { return Judge(c.Value, c.Most, c.Aim) }

// Judge says what a value is to be at most, and whether it is.
func Judge(value, most, aim float64) string {
	switch {
	case most == 0:
		return ""
	case value > most:
		return fmt.Sprintf("MISSED %g", most)
	case aim != 0 && value <= aim:
		return fmt.Sprintf("ok %g, aim %g too", most, aim)
	case aim != 0:
		return fmt.Sprintf("ok %g, not aim %g", most, aim)
	}
	return fmt.Sprintf("ok %g", most)
}

// JudgeLeast says what a value is to be at least, and whether it is.
func JudgeLeast(value, least float64) string {
	if value < least {
		return fmt.Sprintf("MISSED, at least %g", least)
	}
	return fmt.Sprintf("ok, at least %g", least)
}

// Nanoseconds prints a time with three significant digits.
func Nanoseconds(ns float64) string {
	switch {
	case ns < 1e3:
		return Significant(ns) + " ns"
	case ns < 1e6:
		return Significant(ns/1e3) + " us"
	case ns < 1e9:
		return Significant(ns/1e6) + " ms"
	}
	return Significant(ns/1e9) + " s"
}

// Significant prints a number with three significant digits or all that stand
// before the point.
func Significant(v float64) string {
	switch {
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}
