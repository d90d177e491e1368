package sys

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// OpenDirectoryObject opens a directory of the system's objects, to list it.
func OpenDirectoryObject(path string) (Handle, error) {
	name, err := windows.NewNTUnicodeString(path)
	if err != nil {
		return 0, err
	}
	const query = 0x1 // DIRECTORY_QUERY
	attributes := windows.OBJECT_ATTRIBUTES{ObjectName: name}
	attributes.Length = uint32(unsafe.Sizeof(attributes))
	var directory Handle
	err = ntOpenDirectoryObject(&directory, query, &attributes)
	return directory, err
}

// DirectoryEntry is an object in a directory: its name and its type's.
type DirectoryEntry struct{ Name, Type string }

// objectDirectoryInformation is OBJECT_DIRECTORY_INFORMATION.
type objectDirectoryInformation struct{ name, typeName windows.NTUnicodeString }

// QueryDirectoryObject returns the entries of a directory from a position on,
// as many as the buffer holds or a single one, and moves the position on. It
// returns STATUS_MORE_ENTRIES with entries that are not the last ones, and
// STATUS_NO_MORE_ENTRIES without any.
func QueryDirectoryObject(
	directory Handle, buffer []byte, single bool, position *uint32,
) ([]DirectoryEntry, error) {
	const size = int(unsafe.Sizeof(objectDirectoryInformation{}))
	err := ntQueryDirectoryObject(directory, &buffer[0], uint32(len(buffer)),
		single, false, position, nil)
	if err != nil && err != STATUS_MORE_ENTRIES {
		return nil, err
	}
	var entries []DirectoryEntry
	// An entry of zeros ends them, but for a single one.
	for at := 0; at+size <= len(buffer) && (!single || at == 0); at += size {
		entry := (*objectDirectoryInformation)(unsafe.Pointer(&buffer[at]))
		if entry.name.Buffer == nil {
			break
		}
		entries = append(entries, DirectoryEntry{entry.name.String(), entry.typeName.String()})
	}
	return entries, err
}

// ObjectName returns the NT name of an object, or "".
func ObjectName(h Handle, buffer []byte) (string, error) {
	const name = 1 // ObjectNameInformation
	return queryObject(h, name, buffer)
}

// ObjectType returns the name of an object's type.
func ObjectType(h Handle, buffer []byte) (string, error) {
	const typeInformation = 2 // ObjectTypeInformation
	return queryObject(h, typeInformation, buffer)
}

// objectBasicInformation is the beginning of PUBLIC_OBJECT_BASIC_INFORMATION.
type objectBasicInformation struct {
	attributes    uint32
	grantedAccess uint32
	_             [12]uint32
}

// GrantedAccess returns the rights that a handle has.
func GrantedAccess(h Handle) (uint32, error) {
	const basic = 0 // ObjectBasicInformation
	var info objectBasicInformation
	err := ntQueryObject(h, basic, (*byte)(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)), nil)
	return info.grantedAccess, err
}

// queryObject returns the string that the answer to a query begins with.
func queryObject(h Handle, class uint32, buffer []byte) (string, error) {
	if err := ntQueryObject(h, class, &buffer[0], uint32(len(buffer)), nil); err != nil {
		return "", err
	}
	return (*windows.NTUnicodeString)(unsafe.Pointer(&buffer[0])).String(), nil
}

// ProcessHandle is a handle of some process: SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX.
type ProcessHandle struct {
	object    uintptr // 0 for most callers since Windows 11 24H2
	PID       uintptr
	Handle    uintptr
	access    uint32
	backtrace uint16
	Type      uint16 // the type's index
	flags     uint32
	_         uint32
}

// ProcessHandles returns the handles of all processes. They lie in the buffer;
// STATUS_INFO_LENGTH_MISMATCH says that it is too small.
func ProcessHandles(buffer []byte) ([]ProcessHandle, error) {
	err := windows.NtQuerySystemInformation(windows.SystemExtendedHandleInformation,
		unsafe.Pointer(&buffer[0]), uint32(len(buffer)), nil)
	if err != nil {
		return nil, err
	}
	header := (*struct{ count, _ uintptr })(unsafe.Pointer(&buffer[0]))
	first := unsafe.Add(unsafe.Pointer(header), unsafe.Sizeof(*header))
	return unsafe.Slice((*ProcessHandle)(first), int(header.count)), nil
}
