package sys

import (
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// FutexWord is one word of a FutexWaitv.
type FutexWord struct {
	Addr    *uint32
	Value   uint32 // that the word has while there is something to wait for
	Private bool   // only this process wakes it
}

// futexWaitv is struct futex_waitv of futex(2).
type futexWaitv struct {
	val      uint64
	uaddr    uint64
	flags    uint32
	reserved uint32
}

const (
	futex2Size32  = 0x02
	futex2Private = 0x80

	futexWait        = 0
	futexWake        = 1
	futexPrivateFlag = 128

	// FutexWordsMax is how many words one wait can be for.
	FutexWordsMax = 128
)

// FutexVector is the words of a FutexWaitv in the system's form. It must stay
// where it is in memory while a wait uses it.
type FutexVector struct {
	words [FutexWordsMax]futexWaitv
	n     int
}

// Reset empties the vector.
func (v *FutexVector) Reset() { v.n = 0 }

// Add appends a word. There must be room.
func (v *FutexVector) Add(w FutexWord) {
	flags := uint32(futex2Size32)
	if w.Private {
		flags |= futex2Private
	}
	v.words[v.n] = futexWaitv{
		val: uint64(w.Value), uaddr: uint64(uintptr(unsafe.Pointer(w.Addr))), flags: flags,
	}
	v.n++
}

// FutexWaitv blocks until one of the words is woken, one does not have its
// value (EAGAIN), or the monotonic clock shows the time until in nanoseconds
// (ETIMEDOUT): futex_waitv(2), Linux 5.16.
func FutexWaitv(v *FutexVector, until int64) error {
	deadline := unix.NsecToTimespec(until)
	_, _, errno := unix.Syscall6(unix.SYS_FUTEX_WAITV, uintptr(unsafe.Pointer(&v.words[0])),
		uintptr(v.n), 0, uintptr(unsafe.Pointer(&deadline)), unix.CLOCK_MONOTONIC, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// FutexWait is FutexWaitv for one word that other processes wake, for so many
// nanoseconds at the most: futex(2).
func FutexWait(addr *uint32, value uint32, most int64) {
	timeout := unix.NsecToTimespec(most)
	_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(addr)), futexWait,
		uintptr(value), uintptr(unsafe.Pointer(&timeout)), 0, 0)
}

// FutexWake wakes all who wait for a word, in any process.
func FutexWake(addr *uint32, private bool) {
	op := uintptr(futexWake)
	if private {
		op |= futexPrivateFlag
	}
	const all = 1<<31 - 1
	_, _, _ = unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(addr)), op, all, 0, 0, 0)
}

// LowHalf returns the half of a word that is its low 32 bits, on the
// little-endian machines that filemap runs on.
func LowHalf(word *atomic.Uint64) *uint32 { return (*uint32)(unsafe.Pointer(word)) }
