package chart

import "math"

// Axis says what lies where.
type Axis struct {
	Title     string
	Low, High float64
	Log       bool

	// Ticks are the values that are written on it. An axis with a logarithmic
	// scale that has none has one at each power of ten, as Label writes it.
	Ticks []Tick
	Label func(v float64) string
}

// Tick is a mark on an axis.
type Tick struct {
	At    float64
	Label string
}

// Logarithmic returns an axis of whole powers of ten around values, of which
// those that are not positive don't count.
func Logarithmic(title string, values []float64, label func(float64) string) Axis {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if v > 0 {
			low, high = min(low, v), max(high, v)
		}
	}
	if low > high {
		low, high = 1, 1
	}
	from, to := math.Floor(math.Log10(low)), math.Ceil(math.Log10(high))
	if from == to {
		to++
	}
	return Axis{
		Title: title, Low: math.Pow(10, from), High: math.Pow(10, to),
		Log: true, Label: label,
	}
}

// position returns where a value lies, from 0 to 1.
func (a Axis) position(v float64) float64 {
	low, high := a.Low, a.High
	if a.Log {
		low, high, v = math.Log10(low), math.Log10(high), math.Log10(max(v, low))
	}
	return min(1, max(0, (v-low)/(high-low)))
}

func (a Axis) ticks() []Tick {
	if a.Ticks != nil || !a.Log {
		return a.Ticks
	}
	var all []Tick
	const rounding = 1.001
	for v := a.Low; v <= a.High*rounding; v *= 10 {
		all = append(all, Tick{v, a.Label(v)})
	}
	return all
}
