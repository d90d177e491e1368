package kernel

import (
	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// explainNamed is explain for an error of creating or opening an object of a
// name: it tells which kind of object has the name, if that is another kind.
func explainNamed(err error, name object.Name, wanted object.Kind) error {
	if err != sys.ERROR_INVALID_HANDLE {
		return explain(err)
	}
	found, err := kindOf(name)
	if err != nil {
		return object.ErrWrongKind
	}
	return object.WrongKind(found, wanted)
}

// explain turns the system's errors into filemap's where there is one.
func explain(err error) error {
	switch err {
	case sys.ERROR_FILE_NOT_FOUND:
		return object.ErrNotExist
	case sys.ERROR_ALREADY_EXISTS:
		return object.ErrExist
	case sys.ERROR_INVALID_HANDLE:
		return object.ErrWrongKind // by name: our own handles are valid
	case sys.ERROR_ACCESS_DENIED:
		return object.ErrPermission
	case sys.ERROR_NOT_ENOUGH_MEMORY, sys.ERROR_OUTOFMEMORY,
		sys.ERROR_COMMITMENT_LIMIT, sys.ERROR_DISK_FULL:
		return object.ErrNoSpace
	case sys.ERROR_PATH_NOT_FOUND, sys.ERROR_BAD_PATHNAME,
		sys.ERROR_INVALID_NAME, sys.ERROR_FILENAME_EXCED_RANGE:
		return object.ErrInvalidName
	case sys.ERROR_FILE_INVALID:
		return errEmptyFile
	}
	return err
}
