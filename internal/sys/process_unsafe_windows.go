package sys

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// Parent returns the number of the process that created a process, which may have
// ended.
func Parent(process Handle) (int, error) {
	var info windows.PROCESS_BASIC_INFORMATION
	err := windows.NtQueryInformationProcess(process, windows.ProcessBasicInformation,
		unsafe.Pointer(&info), uint32(unsafe.Sizeof(info)), nil)
	return int(info.InheritedFromUniqueProcessId), err
}
