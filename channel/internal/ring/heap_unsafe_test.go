package ring

import "unsafe"

// heapRing returns a ring over memory of this process alone, which the race
// detector sees.
func heapRing(capacity int) Ring {
	words64 := make([]uint64, capacity/8)
	data := unsafe.Slice((*byte)(unsafe.Pointer(&words64[0])), capacity)
	return New(&Words{}, data, words64, make([]Hand, 40))
}

// heapBroadcast is heapRing for a topic's.
func heapBroadcast(capacity, places int, overwrites bool) *Broadcast {
	s := NewBroadcast(heapRing(capacity), make([]Place, places), overwrites)
	return &s
}
