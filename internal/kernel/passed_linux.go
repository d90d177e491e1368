package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/internal/objmgr"
	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// Export returns an open file that is a handle to the mapping, for views of an
// access.
func (m *Mapping) Export(access object.Access) (*os.File, error) {
	if err := m.mayExport(access); err != nil {
		return nil, err
	}
	fd, err := m.object.Export(access == object.ReadWrite && !m.object.IsRecord())
	if err != nil {
		return nil, explain(err)
	}
	return os.NewFile(uintptr(fd), exportedName), nil
}

// exportedName is what an os.File of an exported handle is called.
const exportedName = "filemap"

func (m *Mapping) mayExport(access object.Access) error {
	switch {
	case access == object.ReadWrite && m.access != object.ReadWrite:
		return object.Explain(object.ErrPermission, "this handle's views may not write")
	case m.object.Pathless:
		return object.Explain(errors.ErrUnsupported,
			"the file behind it has no path: pass the file itself, and map it in the other process")
	}
	return nil
}

// Export returns an open file that is a handle to the object. It leaves the file's
// position before the last byte: see takeTicket.
func (s *Sync) Export() (*os.File, error) {
	fd, err := s.Sync.Export(true)
	if err != nil {
		return nil, explain(err)
	}
	if _, err := sys.SeekEnd(int(fd), -1); err != nil {
		sys.Close(int(fd))
		return nil, err
	}
	return os.NewFile(uintptr(fd), exportedName), nil
}

// ReceiveMapping makes a mapping of an open file.
func ReceiveMapping(f *os.File, access object.Access) (*Mapping, object.Name, error) {
	r := received{write: access == object.ReadWrite}
	o, name, err := r.receive(f)
	if err != nil {
		return nil, name, err
	}
	mapping, err := o.Mapping(r.write)
	if err == nil && mapping.Size == 0 {
		mapping.Close()
		err = object.Explain(fs.ErrInvalid, "the file is empty: its size must be more than 0")
	}
	if err != nil {
		return nil, name, err
	}
	return &Mapping{mapping, access}, name, nil
}

// ReceiveSync makes a synchronization object of a kind of an open file.
func ReceiveSync(f *os.File, kind object.Kind) (*Sync, object.Name, error) {
	r := received{write: true, control: true}
	o, name, err := r.receive(f)
	if err != nil {
		return nil, name, err
	}
	s, err := o.Sync(kind)
	if err != nil {
		return nil, name, err
	}
	return &Sync{s, r.place}, name, nil
}

// received is what a descriptor that may come from another process must be good
// for.
type received struct {
	write   bool
	control bool // a control page

	place *place
}

func (r *received) receive(f *os.File) (o *objmgr.Object, name object.Name, err error) {
	err = withDescriptor(f, func(fd int) (err error) {
		o, name, err = r.open(fd)
		return err
	})
	return o, name, err
}

// open makes an object of what a descriptor has open, which stays open.
func (r *received) open(fd int) (*objmgr.Object, object.Name, error) {
	stat, err := r.check(fd)
	if err != nil {
		return nil, object.Name{}, err
	}
	write := r.writes(stat)
	name, p, err := nameOf(fd, stat)
	if err != nil {
		return nil, name, err
	}
	own, err := sys.Reopen(fd, write)
	if err != nil {
		// This user may use what is open, but not open it.
		name = object.Name{}
		own, err = r.share(fd)
	}
	if err != nil {
		return nil, name, explain(err)
	}
	r.place = p
	o, err := p.Receive(objmgr.FD(own), name, write)
	return o, name, err
}

// check returns an error if the descriptor is not what was asked for.
func (r *received) check(fd int) (sys.Stat, error) {
	stat, err := sys.Fstat(fd)
	if err != nil {
		return stat, err
	}
	if stat.Mode&sys.ModeType != sys.ModeRegular {
		return stat, object.Explain(object.ErrWrongKind,
			"the descriptor is that of "+typeName(stat.Mode)+", not of an object or a regular file")
	}
	switch {
	case r.control && !layout.IsControl(stat.Mode):
		return stat, object.Explain(object.ErrWrongKind,
			"the descriptor is that of a mapping, or of a file that filemap did not make")
	case layout.IsControl(stat.Mode) && stat.Size != layout.ControlSize:
		return stat, object.Explain(object.ErrCorrupt, fmt.Sprintf(
			"the object's file has %d bytes instead of %d", stat.Size, layout.ControlSize))
	}
	return stat, checkAccess(fd, r.writes(stat))
}

// writes reports whether the object's own file is written to: a record is not.
func (r *received) writes(stat sys.Stat) bool {
	return r.write && (r.control || !layout.IsControl(stat.Mode))
}

// typeName says what a file is by its st_mode.
func typeName(mode uint32) string {
	switch mode & sys.ModeType {
	case sys.ModeDirectory:
		return "a directory"
	case sys.ModePipe:
		return "a pipe"
	case sys.ModeSocket:
		return "a socket"
	case sys.ModeTerminal:
		return "a terminal or another device"
	}
	return "something else"
}

// share returns a second descriptor of what is open. Another process may have the
// same description open. Of a mapping that does no harm. But handles to a
// synchronization object tell each other's death by locks, which belong to the
// description: the first process to receive it takes its ticket.
func (r *received) share(fd int) (own int, err error) {
	if r.control {
		if err := takeTicket(fd); err != nil {
			return 0, err
		}
	}
	return sys.Dup(fd)
}

// takeTicket reads the byte at the description's position, which Export has left
// before the last byte. All descriptors of a description have one position, so
// only the first read of any process finds a byte.
func takeTicket(fd int) error {
	n, err := sys.Read(fd, make([]byte, 1))
	if err == nil && n == 0 {
		err = object.Explain(object.ErrPermission,
			"another handle was made of this descriptor already: each receiver needs a File of its own")
	}
	return err
}

// nameOf returns the name under which this process finds the file that it has
// open, or none, and the place for it.
func nameOf(fd int, stat sys.Stat) (object.Name, *place, error) {
	nameless, err := placeOf(object.Name{})
	if err != nil {
		return object.Name{}, nil, err
	}
	path, err := sys.DescriptorPath(fd)
	if err != nil {
		return object.Name{}, nameless, nil
	}
	name, ok := nameless.NameOf(objmgr.FD(fd), strings.TrimSuffix(filepath.Base(path), layout.AliasSuffix))
	if !ok {
		return object.Name{}, nameless, nil
	}
	p, err := placeOf(name)
	if err != nil {
		return object.Name{}, nameless, nil
	}
	found, err := sys.Lstat(p.path(p.FileName(name)))
	if err != nil || found.Dev != stat.Dev || found.Ino != stat.Ino {
		return object.Name{}, nameless, nil
	}
	return name, p, nil
}
