package filemap_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/filemap-go/filemap"

// mayImport says which of our packages each one imports at most, in the order
// of docs/architecture.md: downward.
var mayImport = map[string][]string{
	"object":                   {},
	"internal/race":            {},
	"internal/step":            {},
	"internal/sys":             {},
	"internal/mem":             {"object", "internal/race"},
	"internal/layout":          {"object"},
	"internal/objmgr":          {"object", "internal/layout", "internal/race"},
	"internal/kernel":          {"object", "internal/guard", "internal/layout", "internal/mem", "internal/objmgr", "internal/race", "internal/sys"},
	".":                        {"object", "internal/kernel", "internal/mem"},
	"job":                      {"object", "internal/kernel", "waitable"},
	"internal/guard":           {"internal/sys"},
	"inspect":                  {"object", "internal/kernel"},
	"waitable":                 {"object", "internal/kernel"},
	"handle":                   {"object", "internal/kernel"},
	"channel/internal/ring":    {"object", "internal/race", "internal/step"},
	"channel/internal/stream":  {"object", "internal/race", "internal/step"},
	"channel/internal/segment": {"object", ".", "waitable", "channel/internal/ring", "internal/race", "internal/step"},
	"channel":                  {"object", ".", "waitable", "channel/internal/ring", "channel/internal/segment", "channel/internal/stream", "internal/kernel", "internal/race", "internal/step"},
	"filemaptest":              {"object", "inspect", "internal/kernel"},
}

// TestImports keeps the architecture what its document says: imports run
// downward, the system is in internal/sys, and unsafe is in files that say so.
func TestImports(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (path == "cmd" || path == "test" || path == "bench" || len(path) > 1 && path[0] == '.') {
			return fs.SkipDir
		}
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			checkImports(t, filepath.ToSlash(path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func checkImports(t *testing.T, path string) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	from := filepath.ToSlash(filepath.Dir(path))
	allowed, known := mayImport[from]
	if !known {
		t.Errorf("%s: package %s is not in the architecture", path, from)
	}
	for _, spec := range file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		ours, isOurs := strings.CutPrefix(name, module+"/")
		if name == module {
			ours, isOurs = ".", true
		}
		switch {
		case name == "unsafe" && !strings.Contains(path, "_unsafe"):
			t.Errorf("%s imports unsafe: its name must say so", path)
		case strings.HasPrefix(name, "golang.org/x/sys") && from != "internal/sys":
			t.Errorf("%s imports %s: only internal/sys may", path, name)
		case isOurs && !slices.Contains(allowed, ours):
			t.Errorf("%s imports %s: upward or sideways", path, ours)
		case !isOurs && strings.Contains(name, ".") && !strings.HasPrefix(name, "golang.org/x/sys"):
			t.Errorf("%s imports %s: the library needs golang.org/x/sys only", path, name)
		}
	}
}
