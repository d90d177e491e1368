package machine

import (
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	kernel32         = windows.NewLazySystemDLL("kernel32.dll")
	queryCounter     = kernel32.NewProc("QueryPerformanceCounter")
	counterFrequency = func() (hertz int64) {
		_, _, _ = kernel32.NewProc("QueryPerformanceFrequency").Call(uintptr(unsafe.Pointer(&hertz)))
		return hertz
	}()
)

// Clock returns the time since some moment. Go's own clock goes forward by half
// a millisecond at a time here.
func Clock() time.Duration {
	var count int64
	_, _, _ = queryCounter.Call(uintptr(unsafe.Pointer(&count)))
	seconds, rest := count/counterFrequency, count%counterFrequency
	return time.Duration(seconds)*time.Second +
		time.Duration(rest)*time.Second/time.Duration(counterFrequency)
}
