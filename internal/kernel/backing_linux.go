package kernel

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/filemap-go/filemap/internal/objmgr"
	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// openBackingFile looks at the file behind a new mapping, and returns it with
// the mapping's size. It changes nothing: a file that is missing or too small
// has a growth.
func openBackingFile(spec MappingSpec, mode uint32) (*objmgr.File, int64, error) {
	path, err := backingPath(spec)
	if err != nil {
		return nil, 0, err
	}
	writable := spec.Access == object.ReadWrite
	file := &objmgr.File{Path: path}
	grown := &growth{open: spec.OpenFile, path: path, mode: mode & 0o666, size: spec.Size, sparse: spec.Sparse}
	fd, stat, err := grown.find(writable)
	if errors.Is(err, fs.ErrNotExist) && writable && spec.Size > 0 {
		file.Growth = grown
		return file, spec.Size, nil
	} else if err != nil {
		return nil, 0, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	file.FD = fd
	switch {
	case spec.Size == 0 && stat.Size == 0:
		err = object.Explain(fs.ErrInvalid, "the file is empty and no size is given")
	case spec.Size == 0:
		return file, stat.Size, nil
	case spec.Size <= stat.Size:
		return file, spec.Size, nil
	case !writable:
		err = object.Explain(object.ErrNoSpace,
			"the file is smaller, and only read-write access grows it")
	}
	sys.Close(int(fd))
	file.Growth = grown
	return file, spec.Size, err
}

// backingPath returns the path by which other processes open the file behind a
// mapping, or "" if it has none and the mapping no name.
func backingPath(spec MappingSpec) (string, error) {
	if spec.OpenFile == nil {
		return resolve(spec.File)
	}
	path, err := pathOf(spec.OpenFile)
	if err == nil && path == "" && !spec.Name.IsZero() {
		err = object.Explain(fs.ErrInvalid, "no path leads to the open file, as other processes would need it")
	}
	return path, err
}

// resolve returns the absolute path of a file that may be missing, with symbolic
// links resolved: others open that path, and must come to the same file.
func resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	resolved, err := filepath.EvalSymlinks(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return resolved, err
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return "", &fs.PathError{Op: "open", Path: path, Err: errors.Unwrap(err)}
	}
	return filepath.Join(dir, filepath.Base(path)), nil
}

func openRegular(path string, write bool) (objmgr.FD, objmgr.Stat, error) {
	return openKnown(path, func(s objmgr.Stat) (bool, error) {
		return write, checkRegular(s)
	})
}

// growth makes or grows a file: see objmgr.Growth.
type growth struct {
	open   *os.File // the caller's, or nil for the file at the path
	path   string
	mode   uint32 // of a file that it makes
	size   int64  // the file's, at the end
	sparse bool

	fd    objmgr.FD // once Reserve has opened it
	found bool
	made  bool  // it made the file
	old   int64 // size of the file before
	grows bool  // it has begun to set the size
}

func (g *growth) Reserve() (objmgr.FD, error) {
	if err := g.openOrMake(); err != nil {
		return 0, err
	}
	g.found = true
	if g.sparse || g.size <= g.old {
		return g.fd, nil
	}
	err := sys.Reserve(int(g.fd), g.old, g.size-g.old)
	if cannotReserve(err) {
		err = nil // Grow does what it can
	}
	return g.fd, explain(err)
}

// find opens the file that is there.
func (g *growth) find(write bool) (objmgr.FD, objmgr.Stat, error) {
	if g.open != nil {
		return reopenFile(g.open, write)
	}
	return openRegular(g.path, write)
}

func (g *growth) openOrMake() error {
	fd, stat, err := g.find(true)
	if errors.Is(err, fs.ErrNotExist) && g.open == nil {
		var made int
		made, err = sys.CreateNew(g.path, g.mode)
		fd, g.made = objmgr.FD(made), err == nil
	}
	if err == sys.EEXIST { // another process was faster
		fd, stat, err = openRegular(g.path, true)
	}
	g.fd, g.old = fd, stat.Size
	return explain(err)
}

func (g *growth) Grow() error {
	fd := int(g.fd)
	stat, err := sys.Fstat(fd)
	if err != nil || g.size <= stat.Size {
		return explain(err)
	}
	g.grows = true
	if g.sparse {
		return explain(sys.Ftruncate(fd, g.size))
	}
	return explain(allocate(fd, stat.Size, g.size-stat.Size))
}

// Undo touches nothing that another process did to the file meanwhile, as far
// as its size tells.
func (g *growth) Undo() {
	if !g.found {
		return
	}
	fd := int(g.fd)
	stat, err := sys.Fstat(fd)
	ours := err == nil && (stat.Size == g.old || g.grows && stat.Size <= g.size)
	if named, err := sys.Lstat(g.path); err != nil || named.Dev != stat.Dev || named.Ino != stat.Ino {
		g.made = false // the name is another file's
	}
	switch {
	case ours && g.made:
		_ = sys.Unlink(g.path)
	case ours:
		_ = sys.Ftruncate(fd, g.old) // gives reserved space back, too
	}
	sys.Close(fd)
}
