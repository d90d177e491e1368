package filemap

import (
	"io"
	"os"

	"github.com/filemap-go/filemap/internal/kernel"
	"github.com/filemap-go/filemap/internal/mem"
	"github.com/filemap-go/filemap/object"
)

// View is a range of a mapping's bytes in this process's memory. It keeps the
// bytes, but not the mapping's name: only an open [Mapping] keeps the name.
//
// Its methods may be called from any goroutine; Close may be called while other
// methods are in progress. The processes must agree on which of them writes when: a read
// during a write by another process may be torn.
//
// All methods except [View.Bytes] check each access. They return
// object.ErrFault for a fault, which happens if another process truncates the
// file under the view, and os.ErrClosed if the view is closed.
type View struct {
	region  *mem.Region
	mapping *Mapping // so that it is not closed as one that was dropped
	access  Access
	offset  int64
}

// ViewOptions are the options of [Mapping.ViewWith]. The zero value has the
// defaults.
type ViewOptions struct {
	// Access says what may be done with the view. It must be permitted by the
	// mapping's handle; nil means everything that the handle permits.
	Access *Access

	// Base, unless 0, is the address where the view begins. It and the view's
	// offset must then be multiples of 64 KiB. ViewWith returns fs.ErrInvalid if
	// anything else is mapped there.
	Base uintptr

	// Prefault brings all pages into memory now, so that the first access to a
	// page takes no longer than later ones. ViewWith then returns
	// object.ErrNoSpace if there is not enough memory for them.
	Prefault bool
}

// ViewWith is [Mapping.View] with options.
func (m *Mapping) ViewWith(offset, length int64, opts *ViewOptions) (v *View, err error) {
	err = m.while("view", func(k *kernel.Mapping) error {
		v, err = m.mapView(k, offset, length, opts)
		return err
	})
	return v, err
}

func (m *Mapping) mapView(k *kernel.Mapping, offset, length int64, opts *ViewOptions) (*View, error) {
	if opts == nil {
		opts = &ViewOptions{}
	}
	access := k.Access()
	if opts.Access != nil {
		access = *opts.Access
	}
	size := k.Size()
	switch {
	case offset < 0 || length < 0 || offset >= size || length > size-offset:
		return nil, mem.Outside("mapping", offset, length, size)
	case !access.Known():
		return nil, errAccess
	case !k.Access().Permits(access):
		return nil, object.Explain(object.ErrPermission, "the mapping was opened "+k.Access().String())
	case opts.Base != 0 && (opts.Base%kernel.Granularity != 0 || offset%kernel.Granularity != 0):
		return nil, errBase
	}
	if length == 0 {
		length = size - offset
	}
	region, err := k.Map(kernel.ViewSpec{
		Offset: offset, Length: length, Access: access, Base: opts.Base, Prefault: opts.Prefault,
	})
	if err != nil {
		return nil, err
	}
	return &View{region: region, mapping: m, access: access, offset: offset}, nil
}

// Len returns the number of bytes in the view.
func (v *View) Len() int { return v.region.Len() }

// Offset returns where in the mapping the view begins, in bytes.
func (v *View) Offset() int64 { return v.offset }

// Access returns what may be done with the view.
func (v *View) Access() Access { return v.access }

// ReadAt copies bytes of the view, from byte off on, to p. It implements
// io.ReaderAt: it returns io.EOF if it read fewer than len(p) bytes.
func (v *View) ReadAt(p []byte, off int64) (int, error) {
	if rest := int64(v.region.Len()) - off; int64(len(p)) > rest && off >= 0 {
		return v.readTail(p, off, rest)
	}
	if err := v.region.ReadAt(p, off); err != nil {
		return 0, v.failed("read", err)
	}
	return len(p), nil
}

func (v *View) readTail(p []byte, off, rest int64) (int, error) {
	rest = max(rest, 0)
	if err := v.region.ReadAt(p[:rest], min(off, int64(v.Len()))); err != nil {
		return 0, v.failed("read", err)
	}
	return int(rest), io.EOF
}

// WriteAt copies p into the view, from byte off on. It implements io.WriterAt,
// but if p does not fit it writes nothing and returns object.ErrRange. If it
// returns object.ErrFault, part of p may have been written.
func (v *View) WriteAt(p []byte, off int64) (int, error) {
	if err := v.writable(); err != nil {
		return 0, v.failed("write", err)
	}
	if err := v.region.WriteAt(p, off); err != nil {
		return 0, v.failed("write", err)
	}
	return len(p), nil
}

// writable returns an error if the view may not be written, or, first, if it is
// closed.
func (v *View) writable() error {
	if err := v.region.Err(); err != nil {
		return err
	}
	if v.access == ReadOnly {
		return errReadOnly
	}
	return nil
}

// Reader returns a reader of the view's bytes, with a position of its own.
func (v *View) Reader() *io.SectionReader { return io.NewSectionReader(v, 0, int64(v.Len())) }

// Writer returns a writer into the view's bytes from byte off on, with a
// position of its own. A write that does not fit writes nothing and returns
// object.ErrRange.
func (v *View) Writer(off int64) *io.OffsetWriter { return io.NewOffsetWriter(v, off) }

// Flush writes the view's changed bytes to the file that backs the mapping, and
// waits until the file system has them. If memory backs the mapping it does
// nothing. Other views show the changed bytes with or without Flush.
func (v *View) Flush() error {
	if err := v.region.Flush(); err != nil {
		return v.failed("flush", err)
	}
	return nil
}

// Bytes returns the view's bytes themselves, for speed. Accesses to them are not
// checked: an access after Close, or after another process truncated the file
// that backs the mapping, and a write to a view that is ReadOnly, crash the
// program, unless the goroutine has called debug.SetPanicOnFault.
//
// After Close the addresses stay reserved, so that a stale slice never shows
// other memory, until the process has closed 4,096 more such views, or more
// such views of 1 TiB in all.
func (v *View) Bytes() ([]byte, error) {
	data, err := v.region.Bytes()
	if err != nil {
		return nil, v.failed("view", err)
	}
	return data, nil
}

// Guard calls f and returns its error. In f, accesses to the bytes that
// [View.Bytes], [At] or [SliceAt] returned are checked: a fault ends f where it
// is, and Guard returns object.ErrFault, or os.ErrClosed if the view was closed
// meanwhile. Guard costs about 5 ns a call, so it is for code that accesses many
// bytes.
func (v *View) Guard(f func() error) error {
	if err := v.region.Guard(f); err != nil {
		return v.guarded(err)
	}
	return nil
}

func (v *View) guarded(err error) error {
	if err == object.ErrFault || err == os.ErrClosed {
		return v.failed("use", err)
	}
	return err
}

// Close unmaps the view. Accesses in progress finish or fail with os.ErrClosed;
// later ones fail with os.ErrClosed. A second Close returns os.ErrClosed.
//
// # Windows notes
//
// Close waits for accesses in progress: a function that [View.Guard] calls must not
// wait for another goroutine that calls it. If such a function calls Close itself, that
// waits up to 100 ms for the other accesses, and the last access unmaps the view.
func (v *View) Close() error {
	if err := v.region.Close(); err != nil {
		return v.failed("close", err)
	}
	return nil
}

var errReadOnly = object.Explain(object.ErrPermission, "the view is read-only")

func (v *View) failed(op string, err error) error { return failed(op, v.mapping.Name(), err) }
