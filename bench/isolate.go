package main

import (
	"os"
	"runtime"
	"strconv"
)

// directory is where the objects of this run and of its child processes live
// on Linux, and the files of the baselines beside them. On Windows it is where
// temporary files go.
var directory string

// isolate gives the run a directory of its own: in memory, where objects are
// unless FILEMAP_DIR says otherwise.
func isolate() (remove func(), err error) {
	parent := ""
	if runtime.GOOS == "linux" {
		if parent = os.Getenv("FILEMAP_DIR"); parent == "" {
			parent = "/dev/shm"
		}
	}
	if directory, err = os.MkdirTemp(parent, "filemap-bench-"); err != nil {
		return nil, err
	}
	return func() { os.RemoveAll(directory) }, os.Setenv("FILEMAP_DIR", directory)
}

// uniqueName returns a name that only this run uses, where names are the
// whole machine's.
func uniqueName(base string) string {
	return "filemap-bench-" + strconv.Itoa(os.Getpid()) + "-" + base
}
