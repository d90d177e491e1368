package filemap

import (
	"os"

	"github.com/filemap-go/filemap/internal/kernel"
)

// File returns an open file that is a handle to the mapping by itself, for views
// of the given access: to be passed to another process, which makes a Mapping of
// it by [FromFile], whether the mapping has a name or not. Package handle passes
// it. The mapping lives while the file is open in any process, or on its way.
//
// The caller closes the file. Closing the mapping does not affect it, and closing
// it does not affect the mapping.
//
// On Linux a program without filemap maps the file's descriptor by mmap(2),
// unless the mapping is backed by a file, and on Windows by MapViewOfFile: Fd is
// the handle of the section. On Windows no method of the file but Fd and Close
// works.
//
// Returns fs.ErrPermission if this handle's views may do less than access. On
// Linux, a mapping that was made of an open file to which no path leads returns
// errors.ErrUnsupported: pass that file itself.
func (m *Mapping) File(access Access) (f *os.File, err error) {
	err = m.while("export", func(k *kernel.Mapping) (err error) {
		if !access.Known() {
			return errAccess
		}
		f, err = k.Export(access)
		return err
	})
	return f, err
}

// FromFile makes a mapping of an open file that [Mapping.File] returned in this
// process or in another one. It trusts nothing that the file says: f may come
// from a process of any user. The mapping has its name if this process could open
// it by that name. On Linux f can be any regular file, also one that another
// program made by shm_open(3) or memfd_create(2), whose bytes the mapping's are;
// on Windows a handle of a section.
//
// It is the caller's responsibility to close f when finished. Closing the mapping
// does not affect f, and closing f does not affect the mapping.
//
// Returns object.ErrWrongKind if f is not one of a mapping, fs.ErrPermission if
// it is open for less than opts.Access, and fs.ErrInvalid if it is empty.
func FromFile(f *os.File, opts *OpenOptions) (*Mapping, error) {
	if opts == nil {
		opts = &OpenOptions{}
	}
	if !opts.Access.Known() {
		return nil, failed("receive", "", errAccess)
	}
	k, name, err := kernel.ReceiveMapping(f, opts.Access)
	if err != nil {
		return nil, failed("receive", name.String(), err)
	}
	return newMapping(name, k), nil
}
