package kernel

import (
	"syscall"
	"testing"
	"unsafe"
)

// What this package does not do itself, done as any other program would.
var (
	kernel32              = syscall.NewLazyDLL("kernel32.dll")
	createEvent           = kernel32.NewProc("CreateEventW")
	createSemaphore       = kernel32.NewProc("CreateSemaphoreW")
	createMutex           = kernel32.NewProc("CreateMutexW")
	createWaitableTimer   = kernel32.NewProc("CreateWaitableTimerW")
	getProcessHandleCount = kernel32.NewProc("GetProcessHandleCount")
)

// makeObject creates an object of another kind until the test ends. The
// arguments are those of the call, the name last.
func makeObject(t *testing.T, create *syscall.LazyProc, name string, arguments ...uintptr) {
	t.Helper()
	text, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		t.Fatal(err)
	}
	handle, _, err := create.Call(append(arguments, uintptr(unsafe.Pointer(text)))...)
	if handle == 0 {
		t.Fatalf("%s: %v", create.Name, err)
	}
	t.Cleanup(func() { syscall.CloseHandle(syscall.Handle(handle)) })
}

// handleCount returns how many handles this process has.
func handleCount(t *testing.T) (count uint32) {
	t.Helper()
	self, _ := syscall.GetCurrentProcess()
	ok, _, err := getProcessHandleCount.Call(uintptr(self), uintptr(unsafe.Pointer(&count)))
	if ok == 0 {
		t.Fatal(err)
	}
	return count
}

// addressOf returns where bytes lie.
func addressOf(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

// onWine reports whether Wine stands for Windows.
func onWine() bool {
	return syscall.NewLazyDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil
}
