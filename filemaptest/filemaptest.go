// Package filemaptest helps to test programs that use filemap: a namespace of
// the test's own, and a check that nothing in it is left open.
package filemaptest

import (
	"crypto/rand"
	"runtime"
	"strings"
	"testing"

	"github.com/filemap-go/filemap/inspect"
)

// Namespace is where one test's objects live, apart from those of the machine
// and of other tests.
type Namespace struct {
	tag string
}

// New gives the test a namespace, which the processes that the test starts
// inherit. When the test ends, it fails if one of its objects is still alive,
// whoever holds it.
//
// On Linux the namespace is a directory in FILEMAP_DIR, so it is apart whatever
// the names are, and the test can't be parallel to others. On Windows it is the
// tag that [Namespace.Name] adds.
func New(t testing.TB) *Namespace {
	t.Helper()
	ns := &Namespace{tag: "-" + rand.Text()}
	isolate(t)
	t.Cleanup(func() { ns.check(t) })
	return ns
}

// Name returns a name for one of the test's objects: base, which may have a
// prefix, with a tag that no other test's names have.
func (ns *Namespace) Name(base string) string { return base + ns.tag }

// check fails the test for each object that is alive.
func (ns *Namespace) check(t testing.TB) {
	objects, err := inspect.List("")
	if err != nil {
		t.Errorf("filemaptest: %v", err)
	}
	for _, o := range objects {
		if runtime.GOOS == "linux" || strings.HasSuffix(o.Name, ns.tag) {
			t.Errorf("filemaptest: %s %s is still held by %v", o.Kind, o.Name, o.Holders)
		}
	}
}
