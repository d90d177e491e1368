// Package filemaptest is for tests of programs that use filemap. It gives each
// test a namespace of its own, and checks that the test leaves nothing open in it.
package filemaptest

import (
	"context"
	"crypto/rand"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/internal/kernel"
)

// Namespace is the namespace of one test's objects, apart from those of other
// programs and other tests.
type Namespace struct {
	tag     string
	slashes atomic.Bool // some names have them, which no pattern matches

	mu    sync.Mutex
	posix []string // names that were given out
}

// New gives the test a namespace, which the processes that the test starts
// inherit. When the test ends, it fails if one of its objects is still alive,
// in any process, or if this process has dropped a handle without closing it.
//
// On Linux the namespace is a directory that New puts into the environment
// variable FILEMAP_DIR: it keeps all names apart, and the test cannot be
// parallel to others. On Windows, and for POSIX names, which are those of
// shm_open(3), the namespace is the tag that [Namespace.Name] adds. If the test
// leaves a POSIX name, it is removed and the test fails.
func New(t testing.TB) *Namespace {
	t.Helper()
	ns := &Namespace{tag: "-" + rand.Text()}
	isolate(t)
	t.Cleanup(func() { ns.check(t) })
	return ns
}

// Name returns a name for one of the test's objects: base, which may have a
// prefix, and a tag that no other test has.
func (ns *Namespace) Name(base string) string {
	if strings.Contains(base, "/") {
		ns.slashes.Store(true)
	}
	name := base + ns.tag
	if runtime.GOOS == "linux" && strings.HasPrefix(base, "/") {
		ns.mu.Lock()
		defer ns.mu.Unlock()
		ns.posix = append(ns.posix, name)
	}
	return name
}

// check fails the test for each object that is alive, and for each that the
// garbage collector has closed.
func (ns *Namespace) check(t testing.TB) {
	mine := func(name string) bool { return strings.HasSuffix(name, ns.tag) }
	for _, name := range kernel.TakeDropped(mine) {
		t.Errorf("filemaptest: a handle of %s was dropped without Close", name)
	}
	left := ns.alive(t)
	for end := time.Now().Add(patience); len(left) > 0 && time.Now().Before(end); left = ns.alive(t) {
		time.Sleep(pause)
	}
	for _, o := range left {
		t.Errorf("filemaptest: %s %s is still held by %v", o.Kind, o.Name, o.Holders)
	}
	ns.checkPOSIX(t)
}

// The system takes a moment to close what a killed process held, and goroutines
// that end with the test may still be closing.
const (
	patience = 2 * time.Second
	pause    = 10 * time.Millisecond
)

// checkPOSIX fails the test for each POSIX name that is left, and removes it.
func (ns *Namespace) checkPOSIX(t testing.TB) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	for _, name := range ns.posix {
		if o, err := inspect.Find(context.Background(), name); err == nil {
			t.Errorf("filemaptest: %s %s is left: it needs filemap.Unlink", o.Kind, o.Name)
			_ = os.Remove(o.Native)
		}
	}
}

// alive returns the objects of the namespace.
func (ns *Namespace) alive(t testing.TB) (all []inspect.Object) {
	for _, pattern := range ns.patterns() {
		objects, err := inspect.List(context.Background(), pattern)
		if err != nil {
			t.Errorf("filemaptest: %v", err)
		}
		for _, o := range objects {
			if runtime.GOOS == "linux" || strings.HasSuffix(o.Name, ns.tag) {
				all = append(all, o)
			}
		}
	}
	return all
}

// patterns returns what the names of the namespace match. On Windows a list
// that finds anything keeps all objects alive for an instant, which tests of
// other packages, that run at the same time, would notice: so it is not to find
// theirs.
func (ns *Namespace) patterns() []string {
	if runtime.GOOS == "linux" || ns.slashes.Load() {
		return []string{""}
	}
	return []string{"*" + ns.tag, `Global\*` + ns.tag}
}
