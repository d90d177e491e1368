package kernel

import (
	"io/fs"
	"math"
	"os"

	"github.com/filemap-go/filemap/internal/mem"
	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// Map maps a view.
func (m *Mapping) Map(spec ViewSpec) (*mem.Region, error) {
	skip := spec.Offset % Granularity
	if spec.Length > math.MaxInt-skip {
		return nil, object.ErrNoSpace // of addresses
	}
	pages, err := sys.MapViewOfFileEx(m.section, viewRights(spec.Access),
		spec.Offset-skip, int(skip+spec.Length), spec.Base)
	if err == sys.ERROR_INVALID_ADDRESS {
		err = object.Explain(fs.ErrInvalid, "something lies at the address asked for")
	}
	if err != nil {
		return nil, explain(err)
	}
	backing, err := m.backing(spec)
	if err == nil && spec.Prefault {
		err = prefault(pages, spec.Access != object.ReadOnly)
	}
	if err != nil {
		backing.detach(pages)
		return nil, err
	}
	return mem.NewRegion(mem.Spec{
		Mapped: pages, Offset: int(skip), Backing: backing, Counted: true,
	}), nil
}

func viewRights(access object.Access) uint32 {
	switch access {
	case object.ReadOnly:
		return sys.FILE_MAP_READ
	case object.CopyOnWrite:
		return sys.FILE_MAP_COPY
	}
	return sys.FILE_MAP_READ | sys.FILE_MAP_WRITE
}

// prefault touches each page. The system has promised memory for all of them
// already: what can fail is reading a file.
func prefault(pages []byte, write bool) error {
	whole := mem.NewRegion(mem.Spec{Mapped: pages[:cap(pages)]})
	for off := 0; off < whole.Len(); off += os.Getpagesize() {
		word, err := whole.Word32(int64(off))
		if err != nil {
			return err
		}
		if write {
			_, err = word.Add(0) // others may write the word at this moment
		} else {
			_, err = word.Load()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// pagesOf is the backing of a view's region.
type pagesOf struct {
	file     sys.Handle // behind pages that may be written, or 0
	reserved bool       // the addresses are kept after the view is gone
}

func (m *Mapping) backing(spec ViewSpec) (*pagesOf, error) {
	p := &pagesOf{}
	if m.file == nil || spec.Access != object.ReadWrite {
		return p, nil
	}
	var err error
	p.file, err = sys.DuplicateHandle(sys.CurrentProcess(), sys.Handle(m.file.Fd()))
	return p, err
}

// Detach unmaps the view and takes its addresses at once again. Somebody else
// in this process may be faster; then there is nothing to release.
func (p *pagesOf) Detach(data []byte) error {
	err := p.detach(data)
	if err == nil {
		p.reserved = sys.Reserve(data) == nil
	}
	return err
}

func (p *pagesOf) detach(data []byte) error {
	if p.file != 0 {
		sys.CloseHandle(p.file)
	}
	return sys.UnmapViewOfFile(data)
}

func (p *pagesOf) Release(data []byte) {
	if p.reserved {
		_ = sys.Unreserve(data)
	}
}

// Flush writes the pages and, in views of the handle that created the mapping,
// waits until they are on the disk. A handle that was opened by name does not
// lead to the file: the disk's own cache may still hold its pages then.
func (p *pagesOf) Flush(data []byte) error {
	err := sys.FlushViewOfFile(data)
	if err == nil && p.file != 0 {
		err = sys.FlushFileBuffers(p.file)
	}
	return explain(err)
}
