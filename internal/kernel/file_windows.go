package kernel

import (
	"errors"
	"io/fs"
	"os"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

var errEmptyFile = object.Explain(fs.ErrInvalid, "the file is empty and no size is given")

// backing is the file behind a new mapping.
type backing struct {
	*os.File
	size int64 // of the mapping: where the file is smaller, the system grows it

	made   bool  // by openBacking
	before int64 // the file's size
}

// openBacking opens the file behind a new mapping, or makes it.
func openBacking(spec MappingSpec) (b *backing, err error) {
	b = new(backing)
	flags := os.O_RDONLY
	if spec.Access == object.ReadWrite {
		flags = os.O_RDWR
	}
	if spec.OpenFile != nil {
		b.File, err = duplicateFile(spec.OpenFile)
	} else {
		b.File, err = os.OpenFile(spec.File, flags, 0)
	}
	if errors.Is(err, fs.ErrNotExist) && spec.OpenFile == nil && flags == os.O_RDWR && spec.Size > 0 {
		b.File, err = os.OpenFile(spec.File, flags|os.O_CREATE|os.O_EXCL, 0o600)
		b.made = err == nil
		if errors.Is(err, fs.ErrExist) { // by now
			b.File, err = os.OpenFile(spec.File, flags, 0)
		}
	}
	if err != nil {
		return nil, err
	}
	if err := b.measure(spec); err != nil {
		b.undo()
		return nil, err
	}
	return b, nil
}

// duplicateFile opens a file that the caller has open once more.
func duplicateFile(f *os.File) (own *os.File, err error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	var handle sys.Handle
	var duplicated error
	err = conn.Control(func(fd uintptr) {
		handle, duplicated = sys.DuplicateHandle(sys.CurrentProcess(), sys.Handle(fd))
	})
	if err = errors.Join(err, duplicated); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(handle), f.Name()), nil
}

// undo closes the file and leaves it as it was found. If another process maps
// or opens it meanwhile, the system refuses, and it stays that process's.
func (b *backing) undo() {
	if stat, err := b.Stat(); err == nil && !b.made && b.before < b.size && stat.Size() == b.size {
		_ = b.Truncate(b.before)
	}
	b.Close()
	if b.made {
		_ = os.Remove(b.Name())
	}
}

// measure sets the sizes.
func (b *backing) measure(spec MappingSpec) error {
	stat, err := b.Stat()
	if err != nil {
		return err
	}
	b.before, b.size = stat.Size(), spec.Size
	switch {
	case !stat.Mode().IsRegular():
		return object.Explain(fs.ErrInvalid, "what backs the mapping is no plain file")
	case spec.Size == 0 && b.before == 0:
		return errEmptyFile
	case spec.Size == 0:
		b.size = b.before
	case spec.Size > b.before && spec.Access != object.ReadWrite:
		b.size = b.before
		return object.Explain(object.ErrNoSpace,
			"the file is smaller, and only read-write access grows it")
	}
	return nil
}
