//go:build race

// Package race tells the race detector what it can't see: that operations on
// memory which processes share, or on the system's objects, order what
// goroutines of this process do.
package race

import (
	"runtime"
	"unsafe"
)

// Enabled tells whether the race detector watches.
const Enabled = true

// edge stands for all shared objects at once: the detector then overlooks
// races, rather than reporting what is none.
var edge byte

// Release orders what this goroutine has done before what others do after
// their Acquire.
func Release() { runtime.RaceReleaseMerge(unsafe.Pointer(&edge)) }

// Acquire orders what this goroutine does after what others did before their
// Release.
func Acquire() { runtime.RaceAcquire(unsafe.Pointer(&edge)) }
