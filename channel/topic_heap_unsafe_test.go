package channel

import "unsafe"

// heapSeries returns a series over memory of this process alone, which the race
// detector sees.
func heapSeries(capacity, places int, lap bool) *series {
	words64 := make([]uint64, capacity/8)
	data := unsafe.Slice((*byte)(unsafe.Pointer(&words64[0])), capacity)
	return &series{ring: newRing(&words{}, data, words64), places: make([]place, places), lap: lap}
}
