package chart

import "fmt"

// Key is how a chart calls and colours something.
type Key struct {
	Name   string
	Colour int // the same one in all charts
}

// Series is a line: points from left to right.
type Series struct {
	Key
	X, Y []float64
}

// Lines draws a line for each series.
func (c Chart) Lines(all []Series) []byte {
	d := c.begin()
	var keys []Key
	for _, s := range all {
		fmt.Fprintf(d, `<polyline fill="none" stroke-width="2" stroke="%s" stroke-opacity="%s" points="`,
			s.colour(), s.opacity())
		for j := range s.X {
			fmt.Fprintf(d, "%.1f,%.1f ", c.x(s.X[j]), c.y(s.Y[j]))
		}
		fmt.Fprintln(d, `"/>`)
		keys = append(keys, s.Key)
	}
	d.legend(keys)
	return d.end()
}

// Group is what bars have in common that stand together: one for each key, in
// the same order. A value that is not positive has no bar.
type Group struct {
	Name   string
	Values []float64
}

// Bars draws groups of bars. It makes the ticks of the X axis.
func (c Chart) Bars(keys []Key, groups []Group) []byte {
	c.X.Low, c.X.High, c.X.Ticks = 0, float64(len(groups)), nil
	for i, g := range groups {
		c.X.Ticks = append(c.X.Ticks, Tick{float64(i) + 0.5, g.Name})
	}
	const filled = 0.85 // of a group's width
	bar := filled * plotWidth / float64(len(groups)*len(keys))
	d := c.begin()
	for i, g := range groups {
		x := c.x(float64(i)+0.5) - bar*float64(len(keys))/2
		for j, v := range g.Values {
			if v > 0 {
				y := c.y(v)
				fmt.Fprintf(d, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" `+
					`fill="%s" fill-opacity="%s"/>`+"\n", x+bar*float64(j), y, bar,
					top+plotHeight-y, keys[j].colour(), keys[j].opacity())
			}
		}
	}
	d.legend(keys)
	return d.end()
}
