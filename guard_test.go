package filemap_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestSharedWordsAreGuarded keeps the words that processes share where nothing
// touches them unless it says how. Another user may truncate the file of a page
// at any moment, and a plain load then kills the process.
//
// So one function of internal/sys returns a pointer to such a word, and one file
// calls it: the one that guards them. For the system alone, there is sys.Futex.
func TestSharedWordsAreGuarded(t *testing.T) {
	const way, guard = "Word64", "internal/kernel/page_linux.go"
	for _, path := range linuxFiles(t, "internal/sys") {
		for _, decl := range parseFile(t, path).Decls {
			f, ok := decl.(*ast.FuncDecl)
			if ok && f.Name.IsExported() && f.Name.Name != way && returnsWord(f) {
				t.Errorf("%s: %s returns a pointer to a word: return a Futex", path, f.Name.Name)
			}
		}
	}
	for _, path := range append(linuxFiles(t, "internal/kernel"), linuxFiles(t, "internal/objmgr")...) {
		ast.Inspect(parseFile(t, path), func(n ast.Node) bool {
			pkg, name := selected(n)
			switch {
			case pkg == "sys" && name == way && path != guard:
				t.Errorf("%s calls sys.%s: use page.Word, which guards", path, name)
			case pkg == "atomic" && onPointer(name):
				t.Errorf("%s calls atomic.%s: use an atomic type, or page.Word", path, name)
			}
			return true
		})
	}
}

// linuxFiles returns the files of a package that Linux compiles.
func linuxFiles(t *testing.T, dir string) (paths []string) {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(all) == 0 {
		t.Fatalf("the files of %s: %d, %v", dir, len(all), err)
	}
	for _, path := range all {
		if !strings.HasSuffix(path, "_test.go") && !strings.HasSuffix(path, "_windows.go") {
			paths = append(paths, filepath.ToSlash(path))
		}
	}
	return paths
}

func parseFile(t *testing.T, path string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// returnsWord reports whether a function returns a pointer to an integer or to
// an atomic type.
func returnsWord(f *ast.FuncDecl) bool {
	if f.Type.Results == nil {
		return false
	}
	for _, result := range f.Type.Results.List {
		star, ok := result.Type.(*ast.StarExpr)
		if !ok {
			continue
		}
		if name, ok := star.X.(*ast.Ident); ok && strings.Contains(name.Name, "int") {
			return true
		}
		if pkg, _ := selected(star.X); pkg == "atomic" {
			return true
		}
	}
	return false
}

// selected returns the parts of an expression that is package.Name.
func selected(n ast.Node) (pkg, name string) {
	selector, ok := n.(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	if ident, ok := selector.X.(*ast.Ident); ok {
		pkg = ident.Name
	}
	return pkg, selector.Sel.Name
}

// onPointer reports whether a name is that of a function of sync/atomic, and not
// of a type.
func onPointer(name string) bool {
	for _, operation := range []string{"Load", "Store", "Add", "And", "Or", "Swap", "CompareAndSwap"} {
		if strings.HasPrefix(name, operation) {
			return true
		}
	}
	return false
}
