//go:build !race

package race

// Release does nothing without the race detector.
func Release() {}

// Acquire does nothing without the race detector.
func Acquire() {}
