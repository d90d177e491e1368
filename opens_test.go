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

// openers are the functions that may open what has a path, and why: nothing is
// opened before it is known.
var openers = map[string]string{
	"OpenTemp":        "makes what it opens",
	"CreateNew":       "makes what it opens",
	"Look":            "opens nothing: O_PATH",
	"Reopen":          "opens what Look found, or what is open",
	"OpenSettled":     "for host.open",
	"openKnown":       "calls Reopen after a Check",
	"open":            "calls OpenSettled after a Check, where nobody can put another file in between",
	"Names":           "the directory of the objects itself",
	"lockID":          "the directory of the objects itself",
	"ForegroundGroup": "this process's own terminal",
	"readGroup":       "a file of the system's, below where it has mounted its groups",
	"openIn":          "a file of the system's, in a directory that IsCgroup knows",
}

var opens = []string{
	"unix.Open", "unix.Openat", "unix.Openat2", "syscall.Open", "os.Open", "os.OpenFile", "os.Create",
	"os.ReadFile", "os.WriteFile", "sys.OpenSettled",
}

// TestNothingIsOpenedUnknown looks at the code for Linux for what opens a file.
func TestNothingIsOpenedUnknown(t *testing.T) {
	found := 0
	for _, dir := range []string{"internal/sys", "internal/kernel", "internal/objmgr"} {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") ||
				strings.HasSuffix(path, "_windows.go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, path, nil, 0)
			if err != nil {
				return err
			}
			for _, decl := range file.Decls {
				f, ok := decl.(*ast.FuncDecl)
				if !ok {
					continue
				}
				ast.Inspect(f, func(n ast.Node) bool {
					call, ok := n.(*ast.CallExpr)
					if !ok || !slices.Contains(opens, selector(call.Fun)) || isSystemFile(call) {
						return true
					}
					found++
					if _, ok := openers[f.Name.Name]; !ok {
						t.Errorf("%s: %s opens a file by its path: use host.Open with a Check",
							files.Position(call.Pos()), f.Name.Name)
					}
					return true
				})
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found < 5 {
		t.Errorf("found %d openings: the test does not see them", found)
	}
}

func selector(e ast.Expr) string {
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	x, ok := s.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return x.Name + "." + s.Sel.Name
}

// isSystemFile reports whether a call is for a path in /proc or /sys, as the path
// itself or the name of the variable that has it says.
func isSystemFile(call *ast.CallExpr) (found bool) {
	ast.Inspect(call.Args[0], func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			found = found || strings.HasPrefix(n.Value, `"/proc/`) || strings.HasPrefix(n.Value, `"/sys/`)
		case *ast.Ident:
			found = found || n.Name == "proc"
		}
		return true
	})
	return found
}
