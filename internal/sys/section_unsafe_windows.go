package sys

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// Protection of a section's pages.
const (
	PAGE_READONLY  = windows.PAGE_READONLY
	PAGE_READWRITE = windows.PAGE_READWRITE
	PAGE_WRITECOPY = windows.PAGE_WRITECOPY
)

// Rights to a section, and kinds of views of it. FILE_MAP_COPY alone is the
// same number as SECTION_QUERY: OpenFileMapping takes it for FILE_MAP_READ.
const (
	FILE_MAP_COPY  = windows.FILE_MAP_COPY
	FILE_MAP_READ  = windows.FILE_MAP_READ
	FILE_MAP_WRITE = windows.FILE_MAP_WRITE
	SECTION_QUERY  = 0x1
)

// SecurityDescriptor says who may do what with an object.
type SecurityDescriptor = windows.SECURITY_DESCRIPTOR

// SecurityDescriptorFromString parses a descriptor in SDDL.
func SecurityDescriptorFromString(sddl string) (*SecurityDescriptor, error) {
	return windows.SecurityDescriptorFromString(sddl)
}

// CreateFileMapping creates a section, or opens the one that has the name and
// then returns both a handle and ERROR_ALREADY_EXISTS. "" is for no name, and a
// nil descriptor for the system's default.
func CreateFileMapping(
	file Handle, descriptor *SecurityDescriptor, protection uint32, size int64, name string,
) (Handle, error) {
	var attributes *windows.SecurityAttributes
	if descriptor != nil {
		attributes = &windows.SecurityAttributes{SecurityDescriptor: descriptor}
		attributes.Length = uint32(unsafe.Sizeof(*attributes))
	}
	var text *uint16
	if name != "" {
		var err error
		if text, err = windows.UTF16PtrFromString(name); err != nil {
			return 0, err
		}
	}
	return windows.CreateFileMapping(file, attributes, protection,
		uint32(size>>32), uint32(size), text)
}

// OpenFileMapping opens the section of a name.
func OpenFileMapping(access uint32, name string) (Handle, error) {
	text, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return 0, err
	}
	return openFileMapping(access, false, text)
}

// OpenSection opens the section of an NT name for just the rights asked for,
// SECTION_QUERY alone too.
func OpenSection(access uint32, path string) (Handle, error) {
	name, err := windows.NewNTUnicodeString(path)
	if err != nil {
		return 0, err
	}
	attributes := windows.OBJECT_ATTRIBUTES{ObjectName: name}
	attributes.Length = uint32(unsafe.Sizeof(attributes))
	var section Handle
	err = ntOpenSection(&section, access, &attributes)
	if status, ok := err.(windows.NTStatus); ok {
		err = status.Errno()
	}
	return section, err
}

// sectionBasicInformation is SECTION_BASIC_INFORMATION.
type sectionBasicInformation struct {
	baseAddress          uintptr
	allocationAttributes uint32
	maximumSize          int64
}

// SectionSize returns the size of a section that was opened for SECTION_QUERY.
func SectionSize(section Handle) (int64, error) {
	const basic = 0 // SectionBasicInformation
	var info sectionBasicInformation
	err := ntQuerySection(section, basic, &info, unsafe.Sizeof(info), nil)
	return info.maximumSize, err
}
