package filemap_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mayLook says which functions look at all processes, or at all locks, of the
// machine, and which packages or files may call them: those that show people
// what there is. A wait calls none of them.
var mayLook = map[string][]string{
	"kernel.Find":      {"inspect"},
	"kernel.List":      {"inspect"},
	"kernel.OtherUser": {"inspect"},
	"inspect.Find": {
		"filemaptest",
		"cmd/filemap/info.go",
		"cmd/filemap/sync.go", // after an open has failed
	},
	"inspect.List": {"filemaptest", "cmd/filemap/list.go", "cmd/filemap/joblist.go", "cmd/filemap/names.go"},
	"inspect.OtherUser": {
		"cmd/filemap/names.go", // after an open has failed
	},
}

// TestWaitsLookAtOneFile keeps a question that costs little from being answered
// by one that costs as much as others have made the machine's lists long.
func TestWaitsLookAtOneFile(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (path == "test" || path == "bench" || len(path) > 1 && path[0] == '.') {
			return fs.SkipDir
		}
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			checkLooks(t, filepath.ToSlash(path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func checkLooks(t *testing.T, path string) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		pkg, ok := selector.X.(*ast.Ident)
		if !ok {
			return true
		}
		allowed, looks := mayLook[pkg.Name+"."+selector.Sel.Name]
		if looks && !slices.Contains(allowed, path) && !slices.Contains(allowed, filepath.Dir(path)) {
			t.Errorf("%v: %s.%s looks at all that is on the machine: kernel.Exists and kernel.Look do not",
				set.Position(n.Pos()), pkg.Name, selector.Sel.Name)
		}
		return true
	})
}
