package sys

import "golang.org/x/sys/windows"

// Handle is a handle to an object of the system.
type Handle = windows.Handle

// NoFile stands for the paging file where a file's handle is asked for.
const NoFile = windows.InvalidHandle

// CloseHandle closes a handle.
func CloseHandle(h Handle) error { return windows.CloseHandle(h) }

// DuplicateHandle makes a handle of this process to what a handle of another
// process leads to, with the same rights.
func DuplicateHandle(process, h Handle) (own Handle, err error) {
	err = windows.DuplicateHandle(process, h, windows.CurrentProcess(), &own,
		0, false, windows.DUPLICATE_SAME_ACCESS)
	return own, err
}

// DuplicateFor makes a second handle of this process to what h leads to, with the
// rights asked for.
func DuplicateFor(h Handle, access uint32) (own Handle, err error) {
	self := windows.CurrentProcess()
	err = windows.DuplicateHandle(self, h, self, &own, access, false, 0)
	return own, err
}

// DuplicateHandleTo makes a handle in another process to what a handle of this
// one leads to, with the same rights.
func DuplicateHandleTo(h, process Handle) (there Handle, err error) {
	err = windows.DuplicateHandle(windows.CurrentProcess(), h, process, &there,
		0, false, windows.DUPLICATE_SAME_ACCESS)
	return there, err
}

// MakeInheritable says whether a process that this one starts inherits a handle.
func MakeInheritable(h Handle, inheritable bool) error {
	var flag uint32
	if inheritable {
		flag = windows.HANDLE_FLAG_INHERIT
	}
	return windows.SetHandleInformation(h, windows.HANDLE_FLAG_INHERIT, flag)
}

// FlushFileBuffers waits until a file's data is on its disk. The handle must
// permit writing.
func FlushFileBuffers(file Handle) error { return windows.FlushFileBuffers(file) }
