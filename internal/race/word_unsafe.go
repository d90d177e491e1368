//go:build race

package race

import (
	"runtime"
	"sync/atomic"
	"unsafe"
)

// The race detector does not see atomic operations on mapped memory. Here it sees
// them as operations on a stand-in. Two mappings of the memory have a word at two
// addresses, of which only the offset in the page is the same, so words at the same
// offset in their pages have one stand-in, and the detector overlooks some races.

const pageSize = 4096

var standIns [pageSize / 4]uint32

func standIn(word unsafe.Pointer) unsafe.Pointer {
	return unsafe.Pointer(&standIns[uintptr(word)%pageSize/4])
}

func release(word unsafe.Pointer) { runtime.RaceReleaseMerge(standIn(word)) }
func acquire(word unsafe.Pointer) { runtime.RaceAcquire(standIn(word)) }

// Uint32 is an atomic word of shared memory.
type Uint32 struct{ word atomic.Uint32 }

// Load is that of [atomic.Uint32].
func (w *Uint32) Load() uint32 {
	defer acquire(unsafe.Pointer(w))
	return w.word.Load()
}

// Store is that of [atomic.Uint32].
func (w *Uint32) Store(value uint32) {
	release(unsafe.Pointer(w))
	w.word.Store(value)
}

// Add is that of [atomic.Uint32].
func (w *Uint32) Add(delta uint32) (sum uint32) {
	release(unsafe.Pointer(w))
	defer acquire(unsafe.Pointer(w))
	return w.word.Add(delta)
}

// Swap is that of [atomic.Uint32].
func (w *Uint32) Swap(value uint32) (old uint32) {
	release(unsafe.Pointer(w))
	defer acquire(unsafe.Pointer(w))
	return w.word.Swap(value)
}

// CompareAndSwap is that of [atomic.Uint32].
func (w *Uint32) CompareAndSwap(old, value uint32) bool {
	release(unsafe.Pointer(w))
	defer acquire(unsafe.Pointer(w))
	return w.word.CompareAndSwap(old, value)
}

// Uint64 is an atomic word of shared memory.
type Uint64 struct{ word atomic.Uint64 }

// Load is that of [atomic.Uint64].
func (w *Uint64) Load() uint64 {
	defer acquire(unsafe.Pointer(w))
	return w.word.Load()
}

// Store is that of [atomic.Uint64].
func (w *Uint64) Store(value uint64) {
	release(unsafe.Pointer(w))
	w.word.Store(value)
}

// Add is that of [atomic.Uint64].
func (w *Uint64) Add(delta uint64) (sum uint64) {
	release(unsafe.Pointer(w))
	defer acquire(unsafe.Pointer(w))
	return w.word.Add(delta)
}

// Swap is that of [atomic.Uint64].
func (w *Uint64) Swap(value uint64) (old uint64) {
	release(unsafe.Pointer(w))
	defer acquire(unsafe.Pointer(w))
	return w.word.Swap(value)
}

// CompareAndSwap is that of [atomic.Uint64].
func (w *Uint64) CompareAndSwap(old, value uint64) bool {
	release(unsafe.Pointer(w))
	defer acquire(unsafe.Pointer(w))
	return w.word.CompareAndSwap(old, value)
}

func shared(word *uint64) *Uint64 { return (*Uint64)(unsafe.Pointer(word)) }

// Load returns a word of shared memory.
func Load(word *uint64) uint64 { return shared(word).Load() }

// Store sets a word of shared memory.
func Store(word *uint64, value uint64) { shared(word).Store(value) }

// Swap sets a word of shared memory, and returns what it was.
func Swap(word *uint64, value uint64) (old uint64) { return shared(word).Swap(value) }

// CompareAndSwap sets a word of shared memory if it is old, and reports whether it
// was.
func CompareAndSwap(word *uint64, old, value uint64) bool {
	return shared(word).CompareAndSwap(old, value)
}
