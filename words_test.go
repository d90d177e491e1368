package filemap_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// foreign are turns that readers of the documentation stumble over: mostly a
// clause without its subject.
var foreign = regexp.MustCompile(`\bWho [^?]*\.|\b[Ww]hoever\b|\b(for|by|of|from|one|has|have) who\b|\bbut for\b|` +
	`\b(all|or|and) else\b|\bElse\b|\bat the (most|least)\b|\bof late\b|\bso (long|many)\b|\bwhere not\b|` +
	`\b(is|are) no [a-z]+\b|\b(is|are) to [a-z]+\b|\bfor certain\b`)

// understood are the matches that are good English.
var understood = regexp.MustCompile(`there (is|are) no`)

// TestDocumentationIsPlain looks at the comments of exported things.
func TestDocumentationIsPlain(t *testing.T) {
	found := 0
	for _, dir := range []string{".", "object", "waitable", "channel", "inspect", "handle", "filemaptest"} {
		paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, path, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			for _, comment := range documentation(file) {
				found++
				text := strings.ReplaceAll(comment.Text(), "\n", " ")
				if turn := foreign.FindString(understood.ReplaceAllString(text, "")); turn != "" {
					t.Errorf("%v: %q", files.Position(comment.Pos()), turn)
				}
			}
		}
	}
	if found < 300 {
		t.Errorf("found %d comments: the test does not see them", found)
	}
}

// documentation returns the comments of a file that go doc shows.
func documentation(file *ast.File) (all []*ast.CommentGroup) {
	add := func(comment *ast.CommentGroup) {
		if comment != nil {
			all = append(all, comment)
		}
	}
	add(file.Doc)
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Name.IsExported() {
				add(decl.Doc)
			}
		case *ast.GenDecl:
			ast.Inspect(decl, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.TypeSpec:
					if n.Name.IsExported() {
						add(decl.Doc)
					}
					return n.Name.IsExported()
				case *ast.ValueSpec:
					if n.Names[0].IsExported() {
						add(decl.Doc)
						add(n.Doc)
						add(n.Comment)
					}
				case *ast.Field:
					if len(n.Names) > 0 && n.Names[0].IsExported() {
						add(n.Doc)
						add(n.Comment)
					}
				}
				return true
			})
		}
	}
	return all
}
