//go:build !race

package race

import "sync/atomic"

// Enabled tells whether the race detector watches.
const Enabled = false

// Release does nothing without the race detector.
func Release() {}

// Acquire does nothing without the race detector.
func Acquire() {}

// Uint32 is an atomic word of shared memory.
type Uint32 = atomic.Uint32

// Uint64 is an atomic word of shared memory.
type Uint64 = atomic.Uint64

// Load returns a word of shared memory.
func Load(word *uint64) uint64 { return atomic.LoadUint64(word) }

// Store sets a word of shared memory.
func Store(word *uint64, value uint64) { atomic.StoreUint64(word, value) }

// Swap sets a word of shared memory, and returns what it was.
func Swap(word *uint64, value uint64) (old uint64) { return atomic.SwapUint64(word, value) }

// CompareAndSwap sets a word of shared memory if it is old, and reports whether it
// was.
func CompareAndSwap(word *uint64, old, value uint64) bool {
	return atomic.CompareAndSwapUint64(word, old, value)
}
