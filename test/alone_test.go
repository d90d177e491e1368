package test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// aloneVariable names the environment variable that tells a process that it runs
// one test only.
const aloneVariable = "FILEMAP_TEST_ALONE"

// alone runs the calling test again in a process of its own, and fails the test
// if it fails there. It reports whether this is that process. It is for what
// belongs to a whole process: its first object, its threads, its memory.
func alone(t *testing.T) bool {
	t.Helper()
	if os.Getenv(aloneVariable) != "" {
		return true
	}
	cmd := exec.Command(thisBinary(t), "-test.v", "-test.timeout=30m",
		"-test.run=^"+strings.ReplaceAll(t.Name(), "/", "$/^")+"$")
	cmd.Env = append(os.Environ(), aloneVariable+"=1")
	output, err := cmd.CombinedOutput()
	t.Logf("alone: %s", output)
	if err != nil {
		t.Errorf("alone: %v", err)
	}
	return false
}
