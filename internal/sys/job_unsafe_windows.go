package sys

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// Rights to jobs.
const (
	JOB_OBJECT_ASSIGN_PROCESS = 0x1
	JOB_OBJECT_SET_ATTRIBUTES = 0x2
	JOB_OBJECT_QUERY          = 0x4
	JOB_OBJECT_TERMINATE      = 0x8
)

// What a job's limits are, and what it allows.
const (
	JOB_OBJECT_LIMIT_ACTIVE_PROCESS      = windows.JOB_OBJECT_LIMIT_ACTIVE_PROCESS
	JOB_OBJECT_LIMIT_PROCESS_MEMORY      = windows.JOB_OBJECT_LIMIT_PROCESS_MEMORY
	JOB_OBJECT_LIMIT_JOB_MEMORY          = windows.JOB_OBJECT_LIMIT_JOB_MEMORY
	JOB_OBJECT_LIMIT_JOB_TIME            = windows.JOB_OBJECT_LIMIT_JOB_TIME
	JOB_OBJECT_LIMIT_PRESERVE_JOB_TIME   = windows.JOB_OBJECT_LIMIT_PRESERVE_JOB_TIME
	JOB_OBJECT_LIMIT_BREAKAWAY_OK        = windows.JOB_OBJECT_LIMIT_BREAKAWAY_OK
	JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK = windows.JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK
	JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE   = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
)

// ERROR_MORE_DATA says that a buffer is too small for all.
const ERROR_MORE_DATA = windows.ERROR_MORE_DATA

// CREATE_SUSPENDED starts a process that runs nothing before it is resumed.
const CREATE_SUSPENDED = windows.CREATE_SUSPENDED

// CreateJobObject creates a job, or opens the one of that name: see [CreateEvent].
func CreateJobObject(d *SecurityDescriptor, name string) (Handle, error) {
	text, err := namePointer(name)
	if err != nil {
		return 0, err
	}
	return createJobObject(attributesOf(d), text)
}

// OpenJobObject opens the job of a name.
func OpenJobObject(access uint32, name string) (Handle, error) {
	text, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return 0, err
	}
	return openJobObject(access, false, text)
}

// AssignProcessToJobObject makes a process a member of a job.
func AssignProcessToJobObject(job, process Handle) error {
	return windows.AssignProcessToJobObject(job, process)
}

// TerminateJobObject kills all members of a job.
func TerminateJobObject(job Handle, code uint32) error {
	return windows.TerminateJobObject(job, code)
}

// ResumeProcess lets a process that was started suspended run.
func ResumeProcess(process Handle) error { return ntResumeProcess(process) }

// JobProcesses returns the numbers of a job's members that the buffer has room
// for, which lie in it. ERROR_MORE_DATA says that there are more members: in all,
// as many as assigned.
func JobProcesses(job Handle, buffer []uintptr) (pids []uintptr, assigned int, err error) {
	// JOBOBJECT_BASIC_PROCESS_ID_LIST
	header := (*struct{ assigned, listed uint32 })(unsafe.Pointer(&buffer[0]))
	err = queryJob(job, windows.JobObjectBasicProcessIdList,
		unsafe.Pointer(header), uintptr(len(buffer))*unsafe.Sizeof(buffer[0]))
	list := buffer[unsafe.Sizeof(*header)/unsafe.Sizeof(buffer[0]):]
	return list[:min(int(header.listed), len(list))], int(header.assigned), err
}

// JobAccounting is JOBOBJECT_BASIC_ACCOUNTING_INFORMATION. Times are in units of
// 100 ns.
type JobAccounting struct {
	UserTime, KernelTime      int64 // of all members there were
	_, _                      int64 // in this period
	_                         uint32
	Total, Active, Terminated uint32 // processes; terminated by limits
}

// QueryJobAccounting returns what the members of a job have used.
func QueryJobAccounting(job Handle) (info JobAccounting, err error) {
	err = queryJob(job, windows.JobObjectBasicAccountingInformation,
		unsafe.Pointer(&info), unsafe.Sizeof(info))
	return info, err
}

// JobLimits is JOBOBJECT_EXTENDED_LIMIT_INFORMATION.
type JobLimits = windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION

// QueryJobLimits returns a job's limits.
func QueryJobLimits(job Handle) (info JobLimits, err error) {
	err = queryJob(job, windows.JobObjectExtendedLimitInformation,
		unsafe.Pointer(&info), unsafe.Sizeof(info))
	return info, err
}

// SetJobLimits replaces all limits of a job but that of its processors.
func SetJobLimits(job Handle, info JobLimits) error {
	return setJob(job, windows.JobObjectExtendedLimitInformation,
		unsafe.Pointer(&info), unsafe.Sizeof(info))
}

// What JobCPURate does with a job's processor time.
const (
	JOB_OBJECT_CPU_RATE_CONTROL_ENABLE   = 0x1
	JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP = 0x4
)

// JobCPURate is JOBOBJECT_CPU_RATE_CONTROL_INFORMATION. The rate is in hundredths
// of a percent of all processors of the machine.
type JobCPURate struct{ Flags, Rate uint32 }

// QueryJobCPURate returns the limit of a job's processor time.
func QueryJobCPURate(job Handle) (info JobCPURate, err error) {
	err = queryJob(job, windows.JobObjectCpuRateControlInformation,
		unsafe.Pointer(&info), unsafe.Sizeof(info))
	return info, err
}

// SetJobCPURate limits the processor time of a job.
func SetJobCPURate(job Handle, info JobCPURate) error {
	return setJob(job, windows.JobObjectCpuRateControlInformation,
		unsafe.Pointer(&info), unsafe.Sizeof(info))
}

// x/sys takes the address as a number, which does not follow a stack that moves.

func queryJob(job Handle, class uint32, info unsafe.Pointer, size uintptr) error {
	return queryInformationJobObject(job, class, info, uint32(size), nil)
}

func setJob(job Handle, class uint32, info unsafe.Pointer, size uintptr) error {
	return setInformationJobObject(job, class, info, uint32(size))
}

// Processors returns how many processors the machine has.
func Processors() int {
	const allGroups = 0xffff
	return int(windows.GetActiveProcessorCount(allGroups))
}
