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

// FlushFileBuffers waits until a file's data is on its disk. The handle must
// permit writing.
func FlushFileBuffers(file Handle) error { return windows.FlushFileBuffers(file) }
