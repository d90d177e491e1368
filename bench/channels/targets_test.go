package channels

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/filemap-go/filemap/bench/measure"
)

// bouts returns rounds whose messages take so many ns. A cache line takes a fifth of that,
// and more afterwards than before.
func bouts(ns ...float64) (rounds []boutResult) {
	for _, n := range ns {
		result := sideResult{Messages: 1, Elapsed: time.Duration(n)}
		for range percentiles {
			result.Percentiles = append(result.Percentiles, n)
		}
		rounds = append(rounds, boutResult{
			client: result, server: result, line: measure.Bracket{Before: n / 10, After: 3 * n / 10},
		})
	}
	return rounds
}

// TestJudge has targets of each sort on three rounds. The rounds differ by more
// than the contestants do, so that only a ratio within a round is right.
func TestJudge(t *testing.T) {
	tripsOf := func(name string, rounds []boutResult) *cell {
		return &cell{contestant{name: name}, task{roundTrip, 64}, rounds}
	}
	s := &series{
		cells: []*cell{
			tripsOf("slow", bouts(30, 300, 3000)),
			tripsOf("fast", bouts(10, 100, 1500)),
		},
	}
	slow, fast := trips("slow", 64, p50), trips("fast", 64, p50)
	got := s.judge([]target{
		{on: slow, than: fast, most: 3},
		{on: slow, than: fast, most: 2.9},
		{on: slow, than: fast, least: 3},
		{on: slow, than: fast, least: 3.1},
		{on: fast, than: limit(cacheLine), most: 5},
		{on: fast, than: trips("absent", 64, p50), most: 1},
		{on: trips("absent", 64, p50), than: fast, most: 1},
		{on: trips("fast", 128, p50), than: fast, most: 1},
		{on: fast, most: 100},
	})
	want := []string{
		"ok 3", "MISSED 2.9", "ok, at least 3", "MISSED, at least 3.1", "ok 5", "not measured", "ok 100",
	}
	if len(got) != len(want) {
		t.Fatalf("there are %d results: %+v", len(got), got)
	}
	for i, one := range got {
		if one.verdict() != want[i] {
			t.Errorf("%s / %s is %v: %s, not %s", one.On, one.Than, one.Value, one.verdict(), want[i])
		}
	}
	var text bytes.Buffer
	(&Report{Targets: got}).printTargets(&text)
	if !strings.Contains(text.String(), "round trip/fast/64 B, p50  limit: cache line") {
		t.Error(text.String())
	}
}

// TestTargetsExist keeps the names in the table right.
func TestTargetsExist(t *testing.T) {
	all := tasks(sizes)
	for _, one := range targets {
		if (one.most == 0) == (one.least == 0) {
			t.Errorf("%s: at most %g, at least %g", one.on, one.most, one.least)
		}
		for _, r := range []reading{one.on, one.than} {
			if r.of == nil {
				continue // a limit, or nothing
			}
			c, ok := contestantByName(r.contestant)
			isOfOtherSystem := strings.Contains(r.contestant, "(C++)") || r.contestant == "raw futex"
			if !ok && (len(futexes) > 0 || !isOfOtherSystem) {
				t.Errorf("%s: there is no such contestant", r)
			}
			if ok && (!c.takes(r.does) || !slices.Contains(all, r.task)) {
				t.Errorf("%s: it does not take part in that", r)
			}
		}
	}
}
