package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/filemap-go/filemap/filemaptest"
)

// TestReadmeScripts runs the scripts in README as it shows them.
func TestReadmeScripts(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if runtime.GOOS == "windows" || err != nil {
		t.Skip("not for windows: its shell is another one")
	}
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(readme), "In scripts, objects live as long as a command:\n")
	text, _, found := strings.Cut(text, "\nResults go to")
	if !found {
		t.Fatal("the scripts are not where they were")
	}
	filemaptest.New(t)
	script := exec.Command(bash, "-eu", "-c", text+"\nwait")
	output, err := script.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	printed := string(output)
	for what, n := range map[string]int{"job ": 6, "part ": 1, `Local\Gate`: 3, `Local\Ready`: 1} {
		if got := strings.Count(printed, what); got < n {
			t.Errorf("printed %q %d times, want %d", what, got, n)
		}
	}
	if lines := strings.Count(printed, "A: ") + strings.Count(printed, "B: "); lines != 10 {
		t.Errorf("the workers have got %d lines, want 10", lines)
	}
	t.Log(printed)
}
