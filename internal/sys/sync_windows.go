package sys

import "golang.org/x/sys/windows"

// SetEvent signals an event.
func SetEvent(h Handle) error { return windows.SetEvent(h) }

// ResetEvent takes an event's signal away.
func ResetEvent(h Handle) error { return windows.ResetEvent(h) }

// PulseEvent lets those go on who wait now.
func PulseEvent(h Handle) error { return windows.PulseEvent(h) }

// ReleaseMutex ends one ownership of the calling thread.
func ReleaseMutex(h Handle) error { return windows.ReleaseMutex(h) }

// ReleaseSemaphore adds n permits and returns how many there were.
func ReleaseSemaphore(h Handle, n int32) (previous int32, err error) {
	err = releaseSemaphore(h, n, &previous)
	return previous, err
}

// SetWaitableTimer sets when a timer is due: in units of 100 ns since 1601, or
// from now if negative. The period is in milliseconds.
func SetWaitableTimer(h Handle, due int64, period int32) error {
	return setWaitableTimer(h, &due, period, 0, 0, false)
}

// CancelWaitableTimer makes a timer due never more.
func CancelWaitableTimer(h Handle) error { return cancelWaitableTimer(h) }

// Answers of WaitForMultipleObjects; WAIT_ABANDONED is of the first object.
const (
	WAIT_ABANDONED     = windows.WAIT_ABANDONED
	WAIT_IO_COMPLETION = windows.WAIT_IO_COMPLETION
	WAIT_TIMEOUT       = uint32(windows.WAIT_TIMEOUT)
)

const (
	// MAXIMUM_WAIT_OBJECTS is how many objects one wait can be for.
	MAXIMUM_WAIT_OBJECTS = 64

	// INFINITE is no timeout.
	INFINITE = windows.INFINITE
)

// WaitForMultipleObjects waits for one of the objects, the first that is
// signaled, or for all of them. [Alert] ends an alertable wait.
func WaitForMultipleObjects(
	handles []Handle, all bool, milliseconds uint32, alertable bool,
) (event uint32, err error) {
	return waitForMultipleObjectsEx(uint32(len(handles)), &handles[0], all, milliseconds, alertable)
}

// Alert ends an alertable wait of a thread, or its next one, with
// WAIT_IO_COMPLETION. What the system has the thread call then is a function
// that does nothing: Sleep(0).
func Alert(thread Handle) error { return queueUserAPC(procSleep.Addr(), thread, 0) }

var procSleep = modkernel32.NewProc("Sleep")

// CurrentThreadID returns the number of the calling thread.
func CurrentThreadID() uint32 { return windows.GetCurrentThreadId() }

// OpenCurrentThread returns a handle to the calling thread, to alert it and to
// wait for its end.
func OpenCurrentThread() (Handle, error) {
	return windows.OpenThread(windows.THREAD_SET_CONTEXT|windows.SYNCHRONIZE, false,
		windows.GetCurrentThreadId())
}
