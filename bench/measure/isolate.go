package measure

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
)

// Directory is where the objects of this run and of its child processes live
// on Linux, and the files of the baselines beside them. On Windows it is where
// temporary files go.
var Directory string

// Isolate gives the run a directory of its own: in memory, where objects are
// unless FILEMAP_DIR says otherwise.
func Isolate() (remove func(), err error) {
	parent := ""
	if runtime.GOOS == "linux" {
		if parent = os.Getenv("FILEMAP_DIR"); parent == "" {
			parent = "/dev/shm"
		}
	}
	if Directory, err = os.MkdirTemp(parent, "filemap-bench-"); err != nil {
		return nil, err
	}
	return func() { os.RemoveAll(Directory) }, os.Setenv("FILEMAP_DIR", Directory)
}

// InDirectory returns the path of a file beside the objects of this run.
func InDirectory(file string) string { return filepath.Join(Directory, file) }

// UniqueName returns a name that only this run uses, where names are the
// whole machine's.
func UniqueName(base string) string {
	return "filemap-bench-" + strconv.Itoa(os.Getpid()) + "-" + base
}
