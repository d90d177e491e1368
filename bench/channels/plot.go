package channels

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/filemap-go/filemap/bench/chart"
	"github.com/filemap-go/filemap/bench/machine"
	"github.com/filemap-go/filemap/bench/measure"
)

// WritePlots draws the comparison of messages, into a directory.
func (rep *Report) WritePlots(directory string) error {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	for name, picture := range map[string][]byte{
		"round-trip-64B.svg": rep.plotTrips(sizes[0]),
		"one-way.svg": rep.plotRates("GiB a second",
			func(r result) float64 { return r.Bytes.Value / gib },
			measure.Median(rep.CopyRate)/gib, plain),
		"one-way-messages.svg": rep.plotRates("messages a second",
			func(r result) float64 { return r.Messages.Value }, 0, thousands),
	} {
		if picture == nil {
			continue
		}
		if err := os.WriteFile(filepath.Join(directory, name), picture, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (rep *Report) subtitle() string {
	text := machine.Describe()
	if rep.Pinned {
		text += ", pinned"
	}
	text += fmt.Sprintf("; medians of %d rounds", rep.Rounds)
	if slices.ContainsFunc(rep.Results, func(r result) bool { return r.Doubt }) {
		text += "; NOT TO BE QUOTED"
	}
	return text
}

// plotTrips draws the round trips' percentiles at a size.
func (rep *Report) plotTrips(size int) []byte {
	var all []chart.Series
	var values []float64
	for _, r := range rep.Results {
		if r.Exercise != roundTrip || r.Size != size {
			continue
		}
		s := chart.Series{Key: rep.key(r.Contestant)}
		for i, p := range rep.Percentiles {
			if p <= mostPlotted {
				s.X, s.Y = append(s.X, nines(p)), append(s.Y, r.Trips[i])
			}
		}
		all, values = append(all, s), append(values, s.Y...)
	}
	if all == nil {
		return nil
	}
	if trips := rep.cacheLine(); len(trips) > 0 {
		limit := measure.Median(trips)
		all = append(all, chart.Series{
			Key: rep.key("limit: a cache line"),
			X:   []float64{0, nines(mostPlotted)}, Y: []float64{limit, limit},
		})
		values = append(values, limit)
	}
	x := chart.Axis{Title: "percentile of the round trips", High: nines(mostPlotted)}
	for _, p := range []float64{0, 50, 90, 99, 99.9, mostPlotted} {
		x.Ticks = append(x.Ticks, chart.Tick{At: nines(p), Label: fmt.Sprintf("%g%%", p)})
	}
	return chart.Chart{
		Title:    "round trips of " + bytesText(size) + " between two processes",
		Subtitle: rep.subtitle(), X: x,
		Y: chart.Logarithmic("time there and back", values, tickTime),
	}.Lines(all)
}

// mostPlotted is the highest percentile that the curve shows: all of them would
// lie infinitely far to the right.
const mostPlotted = 99.99

// nines returns how many nines a percentile has: each is as wide as another.
func nines(percentile float64) float64 { return -math.Log10(1 - percentile/100) }

// tickTime prints a power of ten of nanoseconds.
func tickTime(ns float64) string {
	switch {
	case ns < 1e3:
		return fmt.Sprintf("%g ns", ns)
	case ns < 1e6:
		return fmt.Sprintf("%g us", ns/1e3)
	}
	return fmt.Sprintf("%g ms", ns/1e6)
}

func plain(v float64) string { return fmt.Sprintf("%.6g", v) }

// plotRates draws what contestants do one way, by size, and a limit if it is
// not 0.
func (rep *Report) plotRates(unit string, value func(result) float64, limit float64,
	label func(float64) string,
) []byte {
	keys, groups := rep.rates(value)
	if groups == nil {
		return nil
	}
	if limit > 0 {
		for i := range groups {
			groups[i].Values = append(groups[i].Values, limit)
		}
		keys = append(keys, rep.key("limit: a copy"))
	}
	var values []float64
	for _, g := range groups {
		values = append(values, g.Values...)
	}
	return chart.Chart{
		Title: "messages one way between two processes", Subtitle: rep.subtitle(),
		X: chart.Axis{Title: "size of a message"},
		Y: chart.Logarithmic(unit, values, label),
	}.Bars(keys, groups)
}

// rates returns a group of values for each size, with one for each key: 0 where
// a contestant did not take part.
func (rep *Report) rates(value func(result) float64) (
	keys []chart.Key, groups []chart.Group,
) {
	for _, r := range rep.Results {
		if key := rep.key(r.Contestant); r.Exercise == oneWay && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	for _, r := range rep.Results {
		if r.Exercise != oneWay {
			continue
		}
		if size := bytesText(r.Size); len(groups) == 0 || groups[len(groups)-1].Name != size {
			groups = append(groups, chart.Group{Name: size, Values: make([]float64, len(keys))})
		}
		groups[len(groups)-1].Values[slices.Index(keys, rep.key(r.Contestant))] = value(r)
	}
	return keys, groups
}

// key gives a contestant the same colour in all plots, and limits the last.
func (rep *Report) key(name string) chart.Key {
	var names []string
	for _, r := range rep.Results {
		if r.Contestant == name {
			break
		}
		if !slices.Contains(names, r.Contestant) {
			names = append(names, r.Contestant)
		}
	}
	return chart.Key{Name: name, Colour: len(names)}
}
