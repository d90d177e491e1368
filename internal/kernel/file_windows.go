package kernel

import (
	"io/fs"
	"os"

	"github.com/filemap-go/filemap/object"
)

var errEmptyFile = object.Explain(fs.ErrInvalid, "the file is empty and no size is given")

// openBackingFile opens the file behind a new mapping, and returns the
// mapping's size. Where the file is smaller, creating the section grows it.
func openBackingFile(spec MappingSpec) (*os.File, int64, error) {
	flags := os.O_RDONLY
	if spec.Access == object.ReadWrite {
		flags = os.O_RDWR
		if spec.Size > 0 {
			flags |= os.O_CREATE
		}
	}
	file, err := os.OpenFile(spec.File, flags, 0o600)
	if err != nil {
		return nil, 0, err
	}
	size, err := backingSize(file, spec)
	if err != nil {
		file.Close()
		return nil, 0, err
	}
	return file, size, nil
}

func backingSize(file *os.File, spec MappingSpec) (int64, error) {
	stat, err := file.Stat()
	switch {
	case err != nil:
		return 0, err
	case !stat.Mode().IsRegular():
		return 0, object.Explain(fs.ErrInvalid, "what backs the mapping is no plain file")
	case spec.Size == 0 && stat.Size() == 0:
		return 0, errEmptyFile
	case spec.Size == 0:
		return stat.Size(), nil
	case spec.Size > stat.Size() && spec.Access != object.ReadWrite:
		return 0, object.Explain(object.ErrNoSpace,
			"the file is smaller, and only read-write access grows it")
	}
	return spec.Size, nil
}
