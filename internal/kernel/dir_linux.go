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
)

// dirVariable names the environment variable that chooses another directory,
// and so another namespace.
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

// here returns the place that the environment chooses now.
func here() (*place, error) {
	dir, err := directory()
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
	h := host{dir: strings.TrimSuffix(dir, "/") + "/", uid: uint32(sys.Geteuid())}
	h.settled = isSettled(stat, h.uid)
	p, _ := places.LoadOrStore(dir, &place{objmgr.New(h), h})
	return p.(*place), nil
}

// directory returns FILEMAP_DIR, else /dev/shm, else a private directory,
// where only this user's processes meet.
func directory() (string, error) {
	if dir := os.Getenv(dirVariable); dir != "" {
		return filepath.Abs(dir)
	}
	const shm = "/dev/shm"
	if _, ok := places.Load(shm); ok {
		return shm, nil
	}
	if stat, err := os.Stat(shm); err == nil && stat.IsDir() {
		return shm, nil
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		return dir, nil
	}
	return privateDirectory()
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
