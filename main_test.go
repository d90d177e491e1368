package filemap_test

import (
	"fmt"
	"os"
	"runtime"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(runIsolated(m)) }

// runIsolated runs tests and examples where they meet no objects of others.
func runIsolated(m *testing.M) int {
	if runtime.GOOS == "linux" {
		dir, err := os.MkdirTemp("/dev/shm", "filemap-test-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		os.Setenv("FILEMAP_DIR", dir)
	}
	return m.Run()
}
