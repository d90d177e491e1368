package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// Old kernels, odd file systems and filters of system calls lack what filemap
// needs. Where nothing can stand in for it, the error says what is missing.

const fileLocks = "open file description locks of fcntl(2) (Linux 3.15)"

// needs explains an error by which the system refuses a call as such. It is for
// calls that never fail in this way for what they are asked to do.
func needs(what string, err error) error {
	switch err {
	case sys.ENOSYS, sys.EOPNOTSUPP, sys.EINVAL, sys.EPERM, sys.EACCES:
		return object.Explain(errors.ErrUnsupported, fmt.Sprintf(
			"filemap needs %s, which this system, the file system or a filter (seccomp) refuses: %v", what, err))
	}
	return err
}

// explainProc explains the error of a call that goes by /proc.
func explainProc(err error) error {
	if err != sys.ENOENT && err != sys.ENOTDIR {
		return err
	}
	if _, missing := os.Stat("/proc/self/fd"); missing != nil {
		return object.Explain(errors.ErrUnsupported, "filemap needs /proc, which is not mounted")
	}
	return err
}

// explainTemp explains why no file can be made in the directory.
func (h host) explainTemp(err error) error {
	switch err {
	case sys.EACCES, sys.EPERM, sys.EROFS:
		if err == sys.EROFS || !sys.MayCreateIn(h.dir) {
			return object.Explain(object.ErrPermission, "this user can make no files in "+h.dir+": "+err.Error())
		}
	case sys.EOPNOTSUPP, sys.EISDIR, sys.ENOSYS, sys.EINVAL:
	case sys.ENOENT:
		return fmt.Errorf("the directory of the objects: %w", &fs.PathError{Op: "open", Path: h.dir, Err: err})
	default:
		return explain(err)
	}
	return object.Explain(errors.ErrUnsupported, "filemap needs O_TMPFILE (Linux 3.11), which the system, a filter "+
		"(seccomp) or the file system of "+h.dir+" refuses: set "+dirVariable+
		" to a directory on tmpfs, ext4, xfs or btrfs")
}

func cannotReserve(err error) bool {
	return err == sys.EOPNOTSUPP || err == sys.ENOSYS || err == sys.EPERM
}

// allocate reserves the space of a range of a file that holds nothing there yet.
// Where the system or the file system can't (ext2, ext3, ramfs), it writes zeros,
// so that what lacks space is the creating, and not some later touch.
func allocate(fd int, offset, length int64) error {
	err := sys.Fallocate(fd, offset, length)
	if !cannotReserve(err) {
		return err
	}
	for zeros := make([]byte, min(length, 1<<20)); length > 0; {
		n, err := sys.Pwrite(fd, zeros[:min(length, int64(len(zeros)))], offset)
		if err != nil {
			return err
		}
		if n == 0 {
			return sys.ENOSPC
		}
		offset, length = offset+int64(n), length-int64(n)
	}
	return nil
}

// explain turns the system's errors into filemap's where there is one.
func explain(err error) error {
	switch err {
	case nil:
		return nil
	case sys.ENOENT:
		return fs.ErrNotExist
	case sys.EACCES, sys.EPERM, sys.EROFS:
		return object.ErrPermission
	case sys.ENOSPC, sys.ENOMEM:
		return object.ErrNoSpace
	case sys.EDQUOT:
		return object.Explain(object.ErrNoSpace, "this user's disk quota has no room left")
	case sys.EFBIG:
		return object.Explain(object.ErrNoSpace,
			"the file would be larger than the file system, or the limit on file sizes (ulimit -f), allows")
	}
	return err
}
