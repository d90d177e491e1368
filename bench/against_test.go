package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/filemap-go/filemap/bench/measure"
)

func TestPrintBoth(t *testing.T) {
	turn := func(lock, other float64, doubt bool) map[string]measure.Figure {
		return map[string]measure.Figure{
			"lock":  {Name: "lock", Value: lock, Unit: "ns", Quality: measure.Quality{Doubt: doubt}},
			"other": {Name: "other", Value: other},
		}
	}
	var these, those []map[string]measure.Figure
	for i := range turns {
		these = append(these, turn(10, 1, i == 0))
		those = append(those, turn(20, 0, false))
		delete(those[i], "other")
	}
	var text bytes.Buffer
	rows := [2][]map[string]measure.Figure{these, those}
	if err := printBoth(&text, "there", []string{"lock", "other"}, rows); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "! lock  ns    20.0  10.0  0.50") {
		t.Error(text.String())
	}
	if strings.Contains(text.String(), "other") {
		t.Error("a row that one tree lacks:", text.String())
	}
	if err := printBoth(&text, "there", []string{"other"}, rows); err == nil {
		t.Error("no row in common is not an error")
	}
}
