package measure

import "slices"

// Quantile returns the value below which the part q of the sample lies.
func Quantile(sample []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(sample))
	position := q * float64(len(sorted)-1)
	below := int(position)
	above := min(below+1, len(sorted)-1)
	return sorted[below] + (sorted[above]-sorted[below])*(position-float64(below))
}

func Median(sample []float64) float64 { return Quantile(sample, 0.5) }
