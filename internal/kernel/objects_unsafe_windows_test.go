package kernel

import (
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/filemap-go/filemap/internal/sys"
)

// What this package does not do itself, done as any other program would.
var (
	kernel32                = syscall.NewLazyDLL("kernel32.dll")
	createEvent             = kernel32.NewProc("CreateEventW")
	createSemaphore         = kernel32.NewProc("CreateSemaphoreW")
	createMutex             = kernel32.NewProc("CreateMutexW")
	createWaitableTimer     = kernel32.NewProc("CreateWaitableTimerW")
	createJobObject         = kernel32.NewProc("CreateJobObjectW")
	setKernelObjectSecurity = syscall.NewLazyDLL("advapi32.dll").NewProc("SetKernelObjectSecurity")
	getProcessHandleCount   = kernel32.NewProc("GetProcessHandleCount")
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

// restrict has an object grant from now on what a security descriptor says.
func restrict(t *testing.T, handle sys.Handle, sddl string) {
	t.Helper()
	descriptor, err := sys.SecurityDescriptorFromString(sddl)
	if err != nil {
		t.Fatal(err)
	}
	information := uintptr(4) // DACL_SECURITY_INFORMATION
	if strings.HasPrefix(sddl, "O:") {
		information |= 1 // OWNER_SECURITY_INFORMATION
	}
	ok, _, err := setKernelObjectSecurity.Call(
		uintptr(handle), information, uintptr(unsafe.Pointer(descriptor)))
	if ok == 0 {
		t.Fatalf("restricting an object to %s: %v", sddl, err)
	}
}
