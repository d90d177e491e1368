//go:build mips || mipsle || (arm && !arm.7)

package sys

// Atomic64 is false: package sync/atomic changes 64 bits under a lock of this
// process, of which other processes know nothing.
const Atomic64 = false
