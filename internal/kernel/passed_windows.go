package kernel

import (
	"os"
	"strings"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// exportedName is what an os.File of an exported handle is called.
const exportedName = "filemap"

// Export implements the contract.
func (m *Mapping) Export(access object.Access) (*os.File, error) {
	if access == object.ReadWrite && m.access != object.ReadWrite {
		return nil, denied("this handle's views may not write")
	}
	own, err := sys.DuplicateFor(m.section, mappingRights(access)|sys.SECTION_QUERY)
	if err == sys.ERROR_ACCESS_DENIED {
		own, err = sys.DuplicateFor(m.section, mappingRights(access))
	}
	return exported(own, err)
}

// Export implements the contract.
func (s *Sync) Export() (*os.File, error) {
	if err := s.use(^uint32(0)); err != nil {
		return nil, err
	}
	defer s.unuse()
	return exported(sys.DuplicateHandle(sys.CurrentProcess(), s.handle))
}

func exported(own sys.Handle, err error) (*os.File, error) {
	if err != nil {
		return nil, explain(err)
	}
	return os.NewFile(uintptr(own), exportedName), nil
}

// ReceiveMapping makes a mapping of an open file.
func ReceiveMapping(f *os.File, access object.Access) (*Mapping, object.Name, error) {
	own, rights, name, err := receive(f, object.Mapping)
	if err != nil {
		return nil, name, err
	}
	m := &Mapping{name: name, section: own, access: access}
	switch {
	case rights&sys.FILE_MAP_READ == 0:
		err = denied("the handle is not for reading")
	case access == object.ReadWrite && rights&sys.FILE_MAP_WRITE == 0:
		err = denied("the handle is for reading only")
	default:
		err = m.inspect()
	}
	if err != nil {
		m.Close()
		return nil, name, err
	}
	return m, name, nil
}

// ReceiveSync makes a synchronization object of a kind of an open file.
func ReceiveSync(f *os.File, kind object.Kind) (*Sync, object.Name, error) {
	own, rights, name, err := receive(f, kind)
	if err != nil {
		return nil, name, err
	}
	return newSync(name, kind, own, rights&rightsMax(kind)), name, nil
}

// receive returns a handle of its own to what another handle leads to, if that is
// an object of the kind, with the rights that the handle has, and the object's
// name, if this session has such names.
func receive(f *os.File, kind object.Kind) (own sys.Handle, rights uint32, name object.Name, err error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return 0, 0, name, err
	}
	closed := conn.Control(func(handle uintptr) {
		own, rights, name, err = receiveHandle(sys.Handle(handle), kind)
	})
	if closed != nil {
		err = os.ErrClosed
	}
	return own, rights, name, err
}

// nameBuffer holds the longest name that there can be.
const nameBuffer = 128 << 10

func receiveHandle(
	handle sys.Handle, kind object.Kind,
) (own sys.Handle, rights uint32, name object.Name, err error) {
	buffer := make([]byte, nameBuffer)
	typeName, err := sys.ObjectType(handle, buffer)
	if err != nil {
		return 0, 0, name, explain(err)
	}
	if kinds[typeName] != kind {
		return 0, 0, name, object.Explain(object.ErrWrongKind,
			"the handle is that of an object of type "+typeName+", not of a "+kind.String())
	}
	if rights, err = sys.GrantedAccess(handle); err != nil {
		return 0, 0, name, explain(err)
	}
	if own, err = sys.DuplicateHandle(sys.CurrentProcess(), handle); err != nil {
		return 0, 0, name, explain(err)
	}
	if native, err := sys.ObjectName(own, buffer); err == nil {
		name = nameOf(native)
	}
	return own, rights, name, nil
}

// nameOf returns the name that this session has for an object with an NT name, or
// none.
func nameOf(native string) object.Name {
	for _, scope := range [...]object.Scope{object.Local, object.Global} {
		base, ok := strings.CutPrefix(native, directoryOf(scope)+`\`)
		if ok && base != "" {
			return object.Name{Scope: scope, Base: base}
		}
	}
	return object.Name{}
}
