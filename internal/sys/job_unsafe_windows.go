package sys

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// CreateKillOnCloseJob creates a job whose processes are killed when its last
// handle is closed.
func CreateKillOnCloseJob() (Handle, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return 0, err
	}
	var limits windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	limits.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits)))
	if err != nil {
		windows.CloseHandle(job)
		return 0, err
	}
	return job, nil
}

// AssignProcessToJobObject makes a process a member of a job.
func AssignProcessToJobObject(job, process Handle) error {
	return windows.AssignProcessToJobObject(job, process)
}
