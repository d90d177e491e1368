package channel

import "unsafe"

// heapRing returns a ring over memory of this process alone, which the race
// detector sees.
func heapRing(capacity int) ring {
	words64 := make([]uint64, capacity/8)
	data := unsafe.Slice((*byte)(unsafe.Pointer(&words64[0])), capacity)
	return newRing(&words{}, data, words64, make([]hand, 40))
}

// heapSeries is heapRing for a series.
func heapBroadcast(capacity, places int, overwrites bool) *broadcast {
	return &broadcast{ring: heapRing(capacity), places: make([]place, places), overwrites: overwrites}
}
