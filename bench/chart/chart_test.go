package chart

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestLogarithmicAxisHoldsItsValues(t *testing.T) {
	a := Logarithmic("", []float64{0, 30, 2000}, func(v float64) string { return fmt.Sprint(v) })
	if a.Low != 10 || a.High != 10000 {
		t.Errorf("it goes from %g to %g, not from 10 to 10000", a.Low, a.High)
	}
	if got := fmt.Sprint(a.ticks()); got != "[{10 10} {100 100} {1000 1000} {10000 10000}]" {
		t.Errorf("its ticks are %s", got)
	}
	for v, want := range map[float64]float64{1: 0, 10: 0, 10000: 1, 1e6: 1} {
		if got := a.position(v); got != want {
			t.Errorf("%g lies at %g, not at %g", v, got, want)
		}
	}
}

func TestChartsAreXML(t *testing.T) {
	c := Chart{
		Title: "a < b & c", X: Axis{High: 1},
		Y: Logarithmic("", []float64{1, 5}, func(v float64) string { return fmt.Sprint(v) }),
	}
	lines := c.Lines([]Series{{Key{"<line>", 9}, []float64{0, 1}, []float64{1, 5}}})
	wellFormed(t, lines, "polyline", 1)
	bars := c.Bars([]Key{{"p", 0}, {"q", 1}}, []Group{{"g", []float64{1, 5}}, {"h", []float64{0, 2}}})
	wellFormed(t, bars, "rect", 1+2+3) // the background, the legend, the bars
}

func wellFormed(t *testing.T, picture []byte, element string, want int) {
	t.Helper()
	count := 0
	for decoder := xml.NewDecoder(strings.NewReader(string(picture))); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == element {
			count++
		}
	}
	if count != want {
		t.Errorf("it has %d of %s, not %d", count, element, want)
	}
}
