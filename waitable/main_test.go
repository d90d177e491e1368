package waitable_test

import (
	"fmt"
	"os"
	"runtime"
	"testing"
)

// peerVariable makes a process of this test binary a peer.
const peerVariable = "FILEMAP_TEST_PEER"

func TestMain(m *testing.M) {
	if os.Getenv(peerVariable) == "" {
		os.Exit(runIsolated(m))
	}
	if err := servePeer(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// runIsolated runs the examples, too, where they meet no objects of others.
func runIsolated(m *testing.M) int {
	if runtime.GOOS == "linux" {
		dir, err := os.MkdirTemp("/dev/shm", "waitable-test-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		os.Setenv("FILEMAP_DIR", dir)
	}
	return m.Run()
}
