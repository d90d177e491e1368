package kernel

import (
	"context"
	"os"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// Mapping is a handle to a section, as the system calls mappings.
type Mapping struct {
	name    object.Name
	section sys.Handle
	size    int64
	access  object.Access

	// file backs the mapping; it is kept where a view's Flush needs it, by a
	// handle that created the mapping for writing.
	file *backing
}

// CreateMapping makes a new section.
func CreateMapping(spec MappingSpec) (*Mapping, error) {
	descriptor, err := securityDescriptor(spec.Security)
	if err != nil {
		return nil, err
	}
	if spec.Init != nil {
		return spec.bear(descriptor)
	}
	return spec.create(descriptor)
}

func (spec MappingSpec) create(descriptor *sys.SecurityDescriptor) (_ *Mapping, err error) {
	m := &Mapping{name: spec.Name, size: spec.Size, access: spec.Access}
	if spec.File == "" && spec.OpenFile == nil {
		err = m.create(sys.NoFile, descriptor)
	} else {
		err = m.createOver(spec, descriptor)
	}
	if err != nil {
		return nil, err
	}
	if spec.Progress != nil {
		spec.Progress(m.size, m.size)
	}
	return m, nil
}

// create makes the section. The system hands out what has the name, if there is
// such a section, together with its error.
func (m *Mapping) create(file sys.Handle, descriptor *sys.SecurityDescriptor) (err error) {
	m.section, err = sys.CreateFileMapping(file, descriptor,
		protection(m.access), m.size, win32Name(m.name))
	if err == nil {
		return nil
	}
	if m.section != 0 {
		sys.CloseHandle(m.section)
	}
	return explainCreate(err, m.name)
}

// createOver makes a section over a file. The system grows the file before it
// looks whether the name is free.
func (m *Mapping) createOver(spec MappingSpec, descriptor *sys.SecurityDescriptor) error {
	if err := checkFree(spec.Name); err != nil {
		return err
	}
	file, err := openBacking(spec)
	if err != nil {
		return err
	}
	m.file, m.size = file, file.size
	if err := m.create(sys.Handle(file.Fd()), descriptor); err != nil {
		file.undo()
		return err
	}
	return nil
}

// checkFree returns an error if the name is taken.
func checkFree(name object.Name) error {
	if name.IsZero() {
		return nil
	}
	section, err := sys.OpenFileMapping(sys.FILE_MAP_READ, win32Name(name))
	switch err {
	case sys.ERROR_FILE_NOT_FOUND:
		return nil
	case nil:
		sys.CloseHandle(section)
		return object.ErrExist
	}
	return explainCreate(err, name)
}

func protection(access object.Access) uint32 {
	switch access {
	case object.ReadOnly:
		return sys.PAGE_READONLY
	case object.CopyOnWrite:
		return sys.PAGE_WRITECOPY
	}
	return sys.PAGE_READWRITE
}

// explainCreate says more than the system does where that denied access.
func explainCreate(err error, name object.Name) error {
	if err != sys.ERROR_ACCESS_DENIED || name.IsZero() {
		return explainNamed(err, name, object.Mapping)
	}
	unborn := isUnborn(name) // before the look at its rights
	switch granted, err := sectionRights(name); {
	case granted != 0 || unborn:
		return object.ErrExist
	case err == sys.ERROR_ACCESS_DENIED:
		return errNoRight
	case name.Scope == object.Global:
		return denied("creating Global mappings takes the privilege SeCreateGlobalPrivilege, " +
			"as services have it")
	}
	return object.ErrPermission
}

// sectionRights returns which rights to the section of a name are granted, each
// asked for alone, or the last error.
func sectionRights(name object.Name) (granted uint32, err error) {
	for _, right := range [...]uint32{sys.FILE_MAP_READ, sys.FILE_MAP_WRITE, sys.SECTION_QUERY} {
		var section sys.Handle
		if section, err = sys.OpenSection(right, NativeName(name)); err == nil {
			sys.CloseHandle(section)
			granted |= right
		}
	}
	return granted, err
}

// OpenMapping opens a live section.
func OpenMapping(ctx context.Context, name object.Name, access object.Access) (*Mapping, error) {
	rights := mappingRights(access)
	var section sys.Handle
	var err error
	unfinished := onceBorn(ctx, name, func() (denied bool) {
		// The right to ask for the size is extra: some owners grant but reading.
		section, err = sys.OpenFileMapping(rights|sys.SECTION_QUERY, win32Name(name))
		if err == sys.ERROR_ACCESS_DENIED {
			section, err = sys.OpenFileMapping(rights, win32Name(name))
		}
		return err == sys.ERROR_ACCESS_DENIED
	})
	if unfinished != nil {
		return nil, unfinished
	}
	if err != nil {
		return nil, explainOpen(err, name)
	}
	m := &Mapping{name: name, section: section, access: access}
	if err := m.inspect(); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// mappingRights returns the rights to a section that views of an access take.
func mappingRights(access object.Access) uint32 {
	if access == object.ReadWrite {
		return sys.FILE_MAP_READ | sys.FILE_MAP_WRITE
	}
	return sys.FILE_MAP_READ
}

// explainOpen says what this user may do where the system denied access.
func explainOpen(err error, name object.Name) error {
	if err != sys.ERROR_ACCESS_DENIED {
		return explainNamed(err, name, object.Mapping)
	}
	switch granted, _ := sectionRights(name); {
	case granted&sys.FILE_MAP_READ != 0:
		return denied("this user may read the mapping, but not write it")
	case granted&sys.FILE_MAP_WRITE != 0:
		return denied("this user may write the mapping, but not read it")
	case granted != 0:
		return denied("this user may query the mapping's size, but not read it")
	}
	return errNoRight
}

// inspect finds out what the creator of an opened section decided.
func (m *Mapping) inspect() (err error) {
	if m.access == object.ReadWrite {
		if err := checkWritable(m.mapsForWriting); err != nil {
			return err
		}
	}
	if m.size, err = sys.SectionSize(m.section); err != nil {
		m.size, err = viewSize(m.section)
	}
	return explain(err)
}

// checkWritable returns an error if the pages of a section are read-only: the
// system gives the right to write to those too, and tells of them only when
// they are mapped. Of large pages it maps whole ones only: all of them then.
func checkWritable(maps func(length int) error) error {
	err := maps(1)
	if err == sys.ERROR_INVALID_PARAMETER {
		err = maps(0)
	}
	switch err {
	case sys.ERROR_ACCESS_DENIED, sys.ERROR_INVALID_PARAMETER: // of a file, of memory
		return denied("the mapping is read-only")
	}
	return explain(err)
}

// mapsForWriting maps so many bytes for a moment, 0 for all.
func (m *Mapping) mapsForWriting(length int) error {
	view, err := sys.MapViewOfFileEx(m.section, viewRights(object.ReadWrite), 0, length, 0)
	if err != nil {
		return err
	}
	return sys.UnmapViewOfFile(view)
}

// viewSize returns the size of a section that may be read, but not queried.
func viewSize(section sys.Handle) (int64, error) {
	all, err := sys.MapViewOfFileEx(section, sys.FILE_MAP_READ, 0, 0, 0)
	if err != nil {
		return 0, err
	}
	return int64(len(all)), sys.UnmapViewOfFile(all)
}

// Size returns the number of bytes. Whoever opened a section of the paging
// file is told that of its pages.
func (m *Mapping) Size() int64 { return m.size }

// Access returns what views may do at most.
func (m *Mapping) Access() object.Access { return m.access }

// Check returns nil: nobody can take a name away.
func (m *Mapping) Check() error { return nil }

// Alias returns the name itself.
func (m *Mapping) Alias() (string, error) { return m.name.String(), nil }

// Close gives the handle up. Its number may be another's at once: it is closed
// only once.
func (m *Mapping) Close() error {
	section := m.section
	if section == 0 {
		return os.ErrClosed
	}
	m.section = 0
	if m.file != nil {
		m.file.Close()
	}
	return sys.CloseHandle(section)
}
