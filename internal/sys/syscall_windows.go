package sys

// What golang.org/x/sys/windows does not have.
//
//sys	openFileMapping(access uint32, inherit bool, name *uint16) (handle Handle, err error) = kernel32.OpenFileMappingW
//sys	mapViewOfFileEx(mapping Handle, access uint32, offsetHigh uint32, offsetLow uint32, length uintptr, base uintptr) (addr uintptr, err error) = kernel32.MapViewOfFileEx
//sys	ntOpenSection(section *Handle, access uint32, attributes *windows.OBJECT_ATTRIBUTES) (ntstatus error) = ntdll.NtOpenSection
//sys	ntQuerySection(section Handle, class uint32, info *sectionBasicInformation, length uintptr, returned *uintptr) (ntstatus error) = ntdll.NtQuerySection
//sys	ntOpenDirectoryObject(handle *Handle, access uint32, attributes *windows.OBJECT_ATTRIBUTES) (ntstatus error) = ntdll.NtOpenDirectoryObject
//sys	ntQueryDirectoryObject(directory Handle, buffer *byte, length uint32, single bool, restart bool, context *uint32, returned *uint32) (ntstatus error) = ntdll.NtQueryDirectoryObject
//sys	ntQueryObject(handle Handle, class uint32, buffer *byte, length uint32, returned *uint32) (ntstatus error) = ntdll.NtQueryObject
//sys	createJobObject(attributes *windows.SecurityAttributes, name *uint16) (handle Handle, err error) [failretval==0 || e1 == windows.ERROR_ALREADY_EXISTS] = kernel32.CreateJobObjectW
//sys	openJobObject(access uint32, inherit bool, name *uint16) (handle Handle, err error) = kernel32.OpenJobObjectW
//sys	ntResumeProcess(process Handle) (ntstatus error) = ntdll.NtResumeProcess
//sys	queryInformationJobObject(job Handle, class uint32, info unsafe.Pointer, length uint32, returned *uint32) (err error) = kernel32.QueryInformationJobObject
//sys	setInformationJobObject(job Handle, class uint32, info unsafe.Pointer, length uint32) (err error) = kernel32.SetInformationJobObject
