package machine

import (
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Post stores a turn in a word of shared memory, and wakes a process that sleeps
// on it by [SleepUntil]: futex(2), and nothing else.
func Post(word *atomic.Uint32, turn uint32) {
	const futexWake = 1
	word.Store(turn)
	_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWake, 1, 0, 0, 0)
}

// SleepUntil waits until the word has the turn, asleep.
func SleepUntil(word *atomic.Uint32, turn uint32) error {
	const futexWait = 0
	for now := word.Load(); now != turn; now = word.Load() {
		_, _, errno := unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWait,
			uintptr(now), 0, 0, 0)
		if errno != 0 && errno != unix.EAGAIN && errno != unix.EINTR {
			return errno
		}
	}
	return nil
}
