package sys

import (
	"os"
	"os/exec"
	"slices"
	"testing"
)

// TestChildren looks for a child in both ways.
func TestChildren(t *testing.T) {
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	for what, children := range map[string]func(int) []int{"children": Children, "parents": childrenByParent} {
		if got := children(os.Getpid()); !slices.Contains(got, cmd.Process.Pid) {
			t.Errorf("by %s: %v, want %d among them", what, got, cmd.Process.Pid)
		}
	}
	if got := Parent(cmd.Process.Pid); got != os.Getpid() {
		t.Errorf("its parent is %d", got)
	}
}
