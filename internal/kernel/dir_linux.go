package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/filemap-go/filemap/internal/objmgr"
	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// dirVariable names the environment variable that chooses another directory,
// and so another namespace, for all but POSIX names.
const dirVariable = "FILEMAP_DIR"

// places holds what the process has for each directory it has used.
var places sync.Map // of string to *place

// place is a directory of objects and its manager.
type place struct {
	*objmgr.Manager
	host host
}

// path returns where a file of the directory is.
func (p *place) path(file string) string { return p.host.dir + file }

// placeOf returns the place where an object of the name is, as the environment
// chooses it now. Objects without a name are where this user's own are.
func placeOf(name object.Name) (*place, error) {
	if err := checkMachine(); err != nil {
		return nil, err
	}
	dir, err := directory(name.Scope)
	if err != nil {
		return nil, err
	}
	if p, ok := places.Load(dir); ok {
		return p.(*place), nil
	}
	stat, err := sys.StatPath(dir)
	if err != nil {
		err = &fs.PathError{Op: "stat", Path: dir, Err: err}
		return nil, fmt.Errorf("the directory of the objects: %w", err)
	} else if stat.Mode&sys.ModeType != sys.ModeDirectory {
		return nil, fmt.Errorf("the directory of the objects: %w", &fs.PathError{Op: "open", Path: dir, Err: sys.ENOTDIR})
	}
	if sys.MaySearch(dir) == sys.EACCES {
		return nil, object.Explain(object.ErrPermission, "this user may not search the directory "+dir)
	}
	h := host{dir: strings.TrimSuffix(dir, "/") + "/", uid: uint32(sys.Geteuid())}
	h.settled = isSettled(stat, h.uid)
	p, _ := places.LoadOrStore(dir, &place{objmgr.New(h), h})
	return p.(*place), nil
}

// shm is where the C library has the objects of shm_open(3).
const shm = "/dev/shm"

var errNoShm = object.Explain(errors.ErrUnsupported,
	shm+" is not there, where the processes of all users meet: mount a tmpfs on it, with mode 1777")

// directory returns where objects of a scope are. POSIX names are those of
// shm_open, which knows nothing of FILEMAP_DIR. Other names are there, or in
// /dev/shm. Where neither is, this user's processes meet in a private directory,
// but nobody else's would, so it is no place for Global names.
func directory(scope object.Scope) (string, error) {
	dir := os.Getenv(dirVariable)
	switch {
	case scope == object.POSIX && !haveShm():
		return "", errNoShm
	case scope == object.POSIX:
		return shm, nil
	case dir != "":
		return filepath.Abs(dir)
	case haveShm():
		return shm, nil
	case scope == object.Global:
		return "", object.Explain(errNoShm, errNoShm.Error()+", or set "+dirVariable)
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		return dir, nil
	}
	return privateDirectory()
}

func haveShm() bool {
	if _, ok := places.Load(shm); ok {
		return true
	}
	stat, err := os.Stat(shm)
	return err == nil && stat.IsDir()
}

func privateDirectory() (string, error) {
	uid := sys.Geteuid()
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("filemap-%d", uid))
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	stat, err := sys.Lstat(dir)
	if err != nil {
		return "", err
	}
	if stat.Mode&sys.ModeType != sys.ModeDirectory || stat.UID != uint32(uid) || stat.Mode&0o077 != 0 {
		return "", fmt.Errorf("%s is not a private directory of this user: %w", dir, fs.ErrPermission)
	}
	return dir, nil
}
