package kernel

import (
	"io/fs"
	"os"

	"github.com/filemap-go/filemap/internal/objmgr"
	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// withDescriptor calls f with the descriptor of an open file, which stays open
// meanwhile, and as it is: File.Fd would make it a blocking one.
func withDescriptor(file *os.File, f func(fd int) error) error {
	conn, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if conn.Control(func(fd uintptr) { inner = f(int(fd)) }) != nil {
		return os.ErrClosed
	}
	return inner
}

// reopenFile opens a regular file that the caller has open once more.
func reopenFile(file *os.File, write bool) (own objmgr.FD, stat objmgr.Stat, err error) {
	err = withDescriptor(file, func(fd int) error {
		found, err := sys.Fstat(fd)
		if err != nil {
			return err
		}
		stat = objmgr.Stat(found)
		if err := checkRegular(stat); err != nil {
			return err
		}
		if err := checkAccess(fd, write); err != nil {
			return err
		}
		reopened, err := sys.Reopen(fd, write)
		if err != nil { // this user may use what is open, but not open it
			reopened, err = sys.Dup(fd)
		}
		own = objmgr.FD(reopened)
		return explain(err)
	})
	return own, stat, err
}

func checkRegular(stat objmgr.Stat) error {
	if stat.Mode&sys.ModeType != sys.ModeRegular {
		return object.Explain(fs.ErrInvalid,
			"what backs the mapping is "+typeName(stat.Mode)+", not a regular file")
	}
	return nil
}

// checkAccess returns an error if a descriptor is not open for what is wanted.
func checkAccess(fd int, write bool) error {
	readable, writable, err := sys.DescriptorAccess(fd)
	switch {
	case err != nil:
		return err
	case !readable:
		return object.Explain(object.ErrPermission, "the descriptor is not open for reading")
	case write && !writable:
		return object.Explain(object.ErrPermission, "the descriptor is open for reading only")
	}
	return nil
}

// pathOf returns the path that leads to an open file, or "".
func pathOf(file *os.File) (path string, err error) {
	err = withDescriptor(file, func(fd int) error {
		stat, err := sys.Fstat(fd)
		if err != nil {
			return err
		}
		if path, err = sys.DescriptorPath(fd); err != nil {
			return explainProc(err)
		}
		if found, err := sys.Lstat(path); err != nil || found.Dev != stat.Dev || found.Ino != stat.Ino {
			path = "" // deleted, renamed, or never had one
		}
		return nil
	})
	return path, err
}
