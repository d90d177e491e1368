package filemap_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// readmeImports are what the programs in README may import.
var readmeImports = []string{
	"fmt", "log", "net/http", module, module + "/channel", module + "/handle", module + "/waitable",
}

// TestReadmeCompiles compiles the Go code in README: programs as they are, and
// other code as the body of a function that has a context and returns an error.
func TestReadmeCompiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("not for windows: Wine has no Go, and the code is the same")
	}
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)\n```go\n(.*?)\n```\n").FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 5 {
		t.Fatalf("README has %d blocks of Go: the test does not see them", len(blocks))
	}
	overlay := map[string]string{} // of files that are not there to those that are
	build := exec.Command("go", "build", "-overlay", filepath.Join(t.TempDir(), "overlay.json"))
	for i, block := range blocks {
		code, dir := block[1], fmt.Sprintf("readme%d", i+1)
		if !strings.HasPrefix(code, "package ") {
			code = readmeFunction(code)
		}
		file := filepath.Join(t.TempDir(), "readme.go")
		if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay[filepath.Join(root, dir, "readme.go")] = file
		build.Args = append(build.Args, "./"+dir)
	}
	list, err := json.Marshal(map[string]any{"Replace": overlay})
	if err == nil {
		err = os.WriteFile(build.Args[3], list, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if output, err := build.CombinedOutput(); err != nil {
		t.Errorf("go build: %v\n%s", err, output)
	}
}

func readmeFunction(body string) string {
	imports := []string{"context"}
	for _, path := range readmeImports {
		name := path[strings.LastIndex(path, "/")+1:]
		if regexp.MustCompile(`\b` + name + `\.[A-Z]`).MatchString(body) {
			imports = append(imports, path)
		}
	}
	slices.Sort(imports)
	code := "package readme\n\n"
	for _, path := range imports {
		code += fmt.Sprintf("import %q\n", path)
	}
	return code + "\nfunc _(ctx context.Context) error {\n" + body + "\n\treturn nil\n}\n"
}
