package filemaptest

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// directoryVariable names the environment variable that chooses the directory
// of the objects on Linux.
const directoryVariable = "FILEMAP_DIR"

// isolate gives the test a directory of its own, beside the one that would be
// used otherwise: in memory, if that is.
func isolate(t testing.TB) {
	if runtime.GOOS != "linux" {
		return
	}
	parent := os.Getenv(directoryVariable)
	if parent == "" {
		parent = "/dev/shm"
	}
	dir, err := os.MkdirTemp(parent, "filemaptest-")
	if err != nil {
		t.Fatalf("filemaptest: %v", err)
	}
	t.Setenv(directoryVariable, filepath.Clean(dir))
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("filemaptest: %v", err)
		}
	})
}
