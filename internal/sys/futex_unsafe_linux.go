package sys

import (
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Futex is a word that the system can wait for. It names the word to the system
// and cannot be read: of a word that other processes share, that takes care.
type Futex struct {
	addr    *uint32
	private bool // only this process waits for it and wakes it
}

// SharedFutex returns the futex that is the low 32 bits of a word that processes
// share, on the little-endian machines that filemap runs on.
func SharedFutex(word *atomic.Uint64) Futex { return Futex{addr: (*uint32)(unsafe.Pointer(word))} }

// PrivateFutex returns the futex that is a word of this process's own.
func PrivateFutex(word *atomic.Uint32) Futex {
	return Futex{addr: (*uint32)(unsafe.Pointer(word)), private: true}
}

// op adds what the system must know of the futex to an operation of futex(2).
func (f Futex) op(op uintptr) uintptr {
	if f.private {
		op |= futexPrivateFlag
	}
	return op
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
	futexWakeOp      = 5
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

// Add appends a word and the value that it has while there is something to wait
// for. There must be room.
func (v *FutexVector) Add(f Futex, value uint32) {
	flags := uint32(futex2Size32)
	if f.private {
		flags |= futex2Private
	}
	v.words[v.n] = futexWaitv{
		val: uint64(value), uaddr: uint64(uintptr(unsafe.Pointer(f.addr))), flags: flags,
	}
	v.n++
}

// kernelTimespec is struct __kernel_timespec: of 64 bits on all processors, as
// unix.Timespec is not.
type kernelTimespec struct{ sec, nsec int64 }

// FutexWaitv blocks until one of the words is woken, one does not have its
// value (EAGAIN) or is not there (EFAULT), or the monotonic clock shows the time
// until in nanoseconds (ETIMEDOUT): futex_waitv(2), Linux 5.16.
func FutexWaitv(v *FutexVector, until int64) error {
	deadline := kernelTimespec{until / 1e9, until % 1e9}
	_, _, errno := unix.Syscall6(unix.SYS_FUTEX_WAITV, uintptr(unsafe.Pointer(&v.words[0])),
		uintptr(v.n), 0, uintptr(unsafe.Pointer(&deadline)), unix.CLOCK_MONOTONIC, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// FutexWait is FutexWaitv for one word and up to most nanoseconds: futex(2).
func FutexWait(f Futex, value uint32, most int64) {
	timeout := unix.NsecToTimespec(most)
	_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(f.addr)), f.op(futexWait),
		uintptr(value), uintptr(unsafe.Pointer(&timeout)), 0, 0)
}

// FutexWake wakes all threads that wait for a word, in any process.
func FutexWake(f Futex) {
	const all = 1<<31 - 1
	_, _, _ = unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(f.addr)), f.op(futexWake),
		all, 0, 0, 0)
}

// FutexAddOneAndWake adds 1 to a word and then does what FutexWake does, in one step:
// this process cannot be killed in between. It returns EFAULT if the word is not there.
func FutexAddOneAndWake(f Futex) error {
	const (
		all    = 1<<31 - 1
		addOne = 1<<28 | 1<<12 // FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_EQ, 0)
	)
	word := uintptr(unsafe.Pointer(f.addr))
	_, _, errno := unix.RawSyscall6(unix.SYS_FUTEX, word, f.op(futexWakeOp), all, 0, word, addOne)
	if errno != 0 {
		return errno
	}
	return nil
}
