package kernel

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/internal/mem"
	"github.com/filemap-go/filemap/internal/objmgr"
	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// Mapping is a handle to a mapping.
type Mapping struct {
	object *objmgr.Mapping
	access object.Access
}

// CreateMapping makes a new mapping.
func CreateMapping(spec MappingSpec) (*Mapping, error) {
	p, err := placeOf(spec.Name)
	if err != nil {
		return nil, err
	}
	mode, err := fileMode(spec.Security, spec.Access)
	if err != nil {
		return nil, err
	}
	wanted := objmgr.MappingSpec{
		Name: spec.Name, Size: spec.Size, Mode: mode,
		Sparse: spec.Sparse, Context: spec.Context, Progress: spec.Progress,
	}
	if spec.Init != nil {
		wanted.Init = func(m *objmgr.Mapping) error { return spec.Init(&Mapping{m, spec.Access}) }
	}
	if spec.File != "" || spec.OpenFile != nil {
		if wanted.File, wanted.Size, err = openBackingFile(spec, mode); err != nil {
			return nil, err
		}
	}
	created, err := p.CreateMapping(wanted)
	if err != nil {
		return nil, err
	}
	return &Mapping{created, spec.Access}, nil
}

// OpenMapping opens a live mapping.
func OpenMapping(ctx context.Context, name object.Name, access object.Access) (*Mapping, error) {
	p, err := placeOf(name)
	if err != nil {
		return nil, err
	}
	opened, err := p.OpenMapping(ctx, name, access == object.ReadWrite)
	if err != nil {
		return nil, err
	}
	return &Mapping{opened, access}, nil
}

// fileMode returns the permission bits of a new object's file.
func fileMode(security *object.Security, access object.Access) (uint32, error) {
	mode := uint32(layout.ModeOwnerRead | layout.ModeOwnerWrite)
	if security != nil {
		if security.SDDL != "" {
			return 0, object.Explain(errors.ErrUnsupported, "SDDL is for Windows: use Group and Everybody")
		}
		// Everybody includes the group, to whom the system gives its own bits.
		group := max(security.Group, security.Everybody)
		mode |= shareMode(group, layout.ModeGroupRead, layout.ModeGroupWrite)
		mode |= shareMode(security.Everybody, layout.ModeOtherRead, layout.ModeOtherWrite)
	}
	if access != object.ReadWrite {
		mode &^= layout.ModeWrite
	}
	return mode, nil
}

func shareMode(share object.Share, read, write uint32) uint32 {
	switch share {
	case object.ShareRead:
		return read
	case object.ShareAll:
		return read | write
	}
	return 0
}

// Size returns the number of bytes.
func (m *Mapping) Size() int64 { return m.object.Size }

// Access returns what views may do at most.
func (m *Mapping) Access() object.Access { return m.access }

// Check gives the name back if somebody else took it away, if possible.
func (m *Mapping) Check() error { return m.object.Check() }

// Alias returns the name for shm_open of a file that programs may remove.
func (m *Mapping) Alias() (string, error) {
	file, err := m.object.Alias()
	return "/" + file, err
}

// Close gives the handle up.
func (m *Mapping) Close() error { return m.object.Close() }

// Map maps a view.
func (m *Mapping) Map(spec ViewSpec) (*mem.Region, error) {
	lock, err := m.object.LockView()
	if err != nil {
		return nil, err
	}
	region, err := m.mapPages(spec, lock)
	if err != nil {
		lock.Release()
	}
	return region, err
}

func (m *Mapping) mapPages(spec ViewSpec, lock *objmgr.ViewLock) (*mem.Region, error) {
	prot := sys.ProtRead
	if spec.Access != object.ReadOnly {
		prot |= sys.ProtWrite
	}
	skip := spec.Offset % int64(os.Getpagesize())
	if spec.Length > maxInt-skip {
		return nil, object.ErrNoSpace // of addresses
	}
	pages, err := withRoom(func() ([]byte, error) {
		return sys.Mmap(int(m.object.MapFD()), spec.Offset-skip, int(skip+spec.Length), prot,
			spec.Access == object.CopyOnWrite, spec.Base)
	})
	if err == sys.EEXIST {
		err = object.Explain(fs.ErrInvalid, "something lies at the address asked for")
	}
	if err != nil {
		return nil, explain(err)
	}
	if spec.Prefault {
		if err := prefault(pages, spec.Access != object.ReadOnly); err != nil {
			_ = sys.Munmap(pages)
			return nil, explain(err)
		}
	}
	return mem.NewRegion(mem.Spec{Mapped: pages, Offset: int(skip), Backing: &pagesOf{lock}}), nil
}

// prefault brings pages into memory. It returns ENOSPC where a touch would be
// SIGBUS. Before Linux 5.14, and under a filter, it touches them.
func prefault(pages []byte, write bool) error {
	switch err := sys.Populate(pages, write); err {
	case sys.EFAULT:
		return sys.ENOSPC
	case sys.EINVAL, sys.ENOSYS, sys.EPERM:
		if mem.NewRegion(mem.Spec{Mapped: pages}).Touch(os.Getpagesize(), write) != nil {
			return sys.ENOSPC
		}
		return nil
	default:
		return err
	}
}

const maxInt = int64(^uint(0) >> 1)

// pagesOf is the backing of a view's region.
type pagesOf struct{ lock *objmgr.ViewLock }

func (p *pagesOf) Detach(data []byte) error {
	defer p.lock.Release()
	return sys.Fence(data)
}

func (p *pagesOf) Release(data []byte)     { _ = sys.Munmap(data) }
func (p *pagesOf) Flush(data []byte) error { return sys.Msync(data) }
