package test

import (
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A denial has the system refuse a system call, as an older kernel, an emulator
// or a sandbox does.
type denial struct {
	Call  uintptr // unix.SYS_...
	Errno syscall.Errno

	// If Mask is not 0, only calls are refused whose argument Arg, counted from
	// 0, has Value in the bits of Mask. It is the low half of an argument.
	Arg, Mask, Value uint32
}

// denialsVariable names the environment variable that holds the denials of a
// process as JSON.
const denialsVariable = "FILEMAP_TEST_DENIALS"

// whereDenied runs the calling test again, in a process where the system refuses
// calls, and fails the test if it fails there. It reports whether this is that
// process:
//
//	func TestX(t *testing.T) {
//		if !whereDenied(t, denial{Call: unix.SYS_FUTEX_WAITV, Errno: unix.ENOSYS}) {
//			return
//		}
//		... // what must hold there
//	}
func whereDenied(t *testing.T, denials ...denial) bool {
	t.Helper()
	if os.Getenv(denialsVariable) != "" {
		return true
	}
	text, err := json.Marshal(denials)
	succeed(t, "Marshal", err)
	pattern := "^" + strings.ReplaceAll(t.Name(), "/", "$/^") + "$"
	cmd := exec.Command(thisBinary(t), "-test.v", "-test.timeout=1m", "-test.run="+pattern)
	cmd.Env = append(os.Environ(), denialsVariable+"="+string(text))
	output, err := cmd.CombinedOutput()
	t.Logf("where calls are refused: %s", output)
	if err != nil {
		t.Errorf("where calls are refused: %v", err)
	}
	return false
}

// A process that has denials refuses the calls before any test runs. Processes
// that it starts inherit that.
func init() {
	text := os.Getenv(denialsVariable)
	if text == "" {
		return
	}
	var denials []denial
	if err := json.Unmarshal([]byte(text), &denials); err != nil {
		panic(err)
	}
	if err := refuse(denials); err != nil {
		panic("seccomp: " + err.Error())
	}
}

// refuse installs a seccomp filter for all threads of this process: seccomp(2).
func refuse(denials []denial) error {
	filter := filterOf(denials)
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	_, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return errno
	}
	return nil
}

// filterOf returns the program that returns the errno of the first denial that
// fits, and otherwise lets the system have the call.
func filterOf(denials []denial) []unix.SockFilter {
	const callAt, argumentsAt = 0, 16 // struct seccomp_data
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	unless := func(value uint32, skip uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: value, Jf: skip}
	}
	end := func(action uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: action}
	}
	var filter []unix.SockFilter
	for _, d := range denials {
		filter = append(filter,
			load(callAt), unless(uint32(d.Call), 4),
			load(argumentsAt+8*d.Arg),
			unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: d.Mask},
			unless(d.Value, 1),
			end(unix.SECCOMP_RET_ERRNO|uint32(d.Errno)))
	}
	return append(filter, end(unix.SECCOMP_RET_ALLOW))
}
