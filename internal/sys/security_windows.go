package sys

import "golang.org/x/sys/windows"

// Access returns a descriptor with the access control list of an object: who may
// do what. The handle must have all rights.
func Access(h Handle) (*SecurityDescriptor, error) {
	return windows.GetSecurityInfo(h, windows.SE_KERNEL_OBJECT, windows.DACL_SECURITY_INFORMATION)
}

// SetAccess gives an object the access control list of a descriptor. Handles that
// are open keep their rights.
func SetAccess(h Handle, d *SecurityDescriptor) error {
	return windows.SetKernelObjectSecurity(h, windows.DACL_SECURITY_INFORMATION, d)
}

// WithoutAccess returns a descriptor that grants nobody anything, and otherwise
// says what d does; nil is for the system's default.
func WithoutAccess(d *SecurityDescriptor) (*SecurityDescriptor, error) {
	nobody, err := windows.SecurityDescriptorFromString("D:")
	if err != nil || d == nil {
		return nobody, err
	}
	list, _, err := nobody.DACL()
	if err != nil {
		return nil, err
	}
	veiled, err := d.ToAbsolute()
	if err != nil {
		return nil, err
	}
	return veiled, veiled.SetDACL(list, true, false)
}
