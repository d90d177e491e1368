package test

import (
	"io/fs"
	"os"
	"testing"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/object"
)

func mapRecreated(t *testing.T, ns *filemaptest.Namespace) {
	first := created(t, ns.Name("Again"), 4096, nil)
	v := viewed(t, first, 0, 0)
	put(t, v, 0, "\x2A")
	closed(t, v, first)
	second := created(t, ns.Name("Again"), 4096, nil)
	expectText(t, "second mapping", viewed(t, second, 0, 0), 0, "\x00")
}

func mapOnlyView(t *testing.T, ns *filemaptest.Namespace) {
	name := ns.Name("OnlyView")
	m := created(t, name, 4096, nil)
	v := viewed(t, m, 0, 0)
	put(t, v, 0, "old")
	closed(t, m)
	expectNone(t, "Open", name, fs.ErrNotExist)
	put(t, viewed(t, created(t, name, 4096, nil), 0, 0), 0, "new")
	expectText(t, "view of the old mapping", v, 0, "old")
}

func mapSecondHandle(t *testing.T, ns *filemaptest.Namespace) {
	m := created(t, ns.Name("Second"), 4096, nil)
	opened(t, ns.Name("Second"), filemap.ReadWrite)
	closed(t, m)
	opened(t, ns.Name("Second"), filemap.ReadWrite)
}

func mapClosedTwice(t *testing.T, ns *filemaptest.Namespace) {
	m := created(t, ns.Name("Twice"), 4096, nil)
	closed(t, m)
	expect(t, "second Close", m.Close(), os.ErrClosed)
}

func mapCrossProcess(t *testing.T, ns *filemaptest.Namespace) {
	name := ns.Name("Cross")
	m := created(t, name, 4096, nil)
	v := viewed(t, m, 0, 0)
	put(t, v, 0, "123")
	child := startPeer(t)
	succeed(t, "Open in a child", child.open(name, filemap.ReadOnly))
	succeed(t, "View in a child", child.view(name))
	if got, err := child.read(name, 0, 3); err != nil || string(got) != "123" {
		t.Errorf("the child read %q, error %v", got, err)
	}
	child.exit()
	closed(t, v, m)
	expect(t, "Open in a new child", startPeer(t).open(name, filemap.ReadOnly), fs.ErrNotExist)
}

func mapOnlyViewElsewhere(t *testing.T, ns *filemaptest.Namespace) {
	name := ns.Name("Elsewhere")
	m := created(t, name, 4096, nil)
	child := startPeer(t)
	succeed(t, "Open in a child", child.open(name, filemap.ReadWrite))
	succeed(t, "View in a child", child.view(name))
	succeed(t, "Close in a child", child.closeMapping(name))
	closed(t, m)
	expectNone(t, "Open while a child has a view", name, fs.ErrNotExist)
	child.kill()
	expectNone(t, "Open after the child was killed", name, fs.ErrNotExist)
}

func nameEmptyCreate(t *testing.T, _ *filemaptest.Namespace) {
	a, b := created(t, "", 4096, nil), created(t, "", 4096, nil)
	put(t, viewed(t, a, 0, 0), 0, "a")
	expectText(t, "the other unnamed mapping", viewed(t, b, 0, 0), 0, "\x00")
}

func nameEmptyOpen(t *testing.T, _ *filemaptest.Namespace) {
	expectNone(t, "Open", "", object.ErrInvalidName)
}

func nameBackslash(t *testing.T, ns *filemaptest.Namespace) {
	for _, name := range []string{ns.Name(`Local\a\b`), ns.Name(`a\b`)} {
		_, err := filemap.Create(name, 4096, nil)
		expect(t, "Create "+name, err, object.ErrInvalidName)
		expectNone(t, "Open "+name, name, object.ErrInvalidName)
	}
}

func nameLocalDefault(t *testing.T, ns *filemaptest.Namespace) {
	created(t, ns.Name(`Local\Default`), 4096, nil)
	opened(t, ns.Name("Default"), filemap.ReadWrite)
}

func nameGlobal(t *testing.T, ns *filemaptest.Namespace) {
	created(t, ns.Name(`Global\Scope`), 4096, nil)
	opened(t, ns.Name(`Global\Scope`), filemap.ReadWrite)
	expectNone(t, "Open as Local", ns.Name(`Local\Scope`), fs.ErrNotExist)
}

func namePrefixOnly(t *testing.T, _ *filemaptest.Namespace) {
	for _, name := range []string{`Global\`, `Local\`} {
		_, err := filemap.Create(name, 4096, nil)
		expect(t, "Create "+name, err, object.ErrInvalidName)
	}
}

func nameOddCharacters(t *testing.T, ns *filemaptest.Namespace) {
	for _, base := range []string{
		`Local\a/b`, `a:b`, `*?`, ` a  b `, `§größe-日本-🗺`, `.%2F`, `$x`,
	} {
		created(t, ns.Name(base), 4096, nil)
		opened(t, ns.Name(base), filemap.ReadWrite)
	}
}
