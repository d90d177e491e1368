package sys

import (
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// DieOf ends this process by a signal as one without a handler dies of it, without
// a core dump. Go's runtime ignores some signals that nobody asked it for. It
// returns if the signal does not end a process.
func DieOf(s syscall.Signal) {
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	var standard [8]uintptr // struct sigaction of the system: SIG_DFL, no flags, no mask
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(s), uintptr(unsafe.Pointer(&standard)), 0, 8, 0, 0)
	// The signal is this thread's own: one to the process may reach another thread,
	// while this one goes on.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	_ = unix.Tgkill(unix.Getpid(), unix.Gettid(), s)
}
