//go:build !mips && !mipsle && (!arm || arm.7)

package sys

// Atomic64 says that package sync/atomic changes 64 bits by instructions of the
// processor, which count between processes too.
const Atomic64 = true
