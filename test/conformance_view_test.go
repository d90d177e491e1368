package test

import (
	"bytes"
	"io/fs"
	"math/bits"
	"os"
	"reflect"
	"testing"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
)

// expectNoView fails the test unless a view with the access is refused.
func expectNoView(t *testing.T, m *filemap.Mapping, access filemap.Access, want error) {
	t.Helper()
	_, err := m.ViewWith(0, 0, &filemap.ViewOptions{Access: &access})
	expect(t, "View "+access.String(), err, want)
}

// viewOffset maps part of a mapping of 128 KiB.
func viewOffset(offset, length int64, want error) func(*testing.T, *filemaptest.Namespace) {
	return func(t *testing.T, ns *filemaptest.Namespace) {
		m := created(t, ns.Name("Offset"), 131072, nil)
		v, err := m.View(offset, length)
		expect(t, "View", err, want)
		if err != nil {
			return
		}
		if v.Len() != 65536 {
			t.Errorf("view of %d bytes, want 65536", v.Len())
		}
		closed(t, v)
	}
}

func viewAnyOffset(t *testing.T, ns *filemaptest.Namespace) {
	m := created(t, ns.Name("AnyOffset"), 131072, nil)
	put(t, viewed(t, m, 0, 0), 70_001, "here")
	expectText(t, "view at 70001", viewed(t, m, 70_001, 4), 0, "here")
}

func viewMatrix(mapping, view filemap.Access, want error) func(*testing.T, *filemaptest.Namespace) {
	return func(t *testing.T, _ *filemaptest.Namespace) {
		m := created(t, "", 4096, &filemap.CreateOptions{Access: mapping})
		v, err := m.ViewWith(0, 0, &filemap.ViewOptions{Access: &view})
		expect(t, "View", err, want)
		if err != nil {
			return
		}
		_, err = v.WriteAt([]byte("x"), 0)
		if view == filemap.ReadOnly {
			expect(t, "WriteAt", err, fs.ErrPermission)
		} else {
			expectText(t, "what was written", v, 0, "x")
		}
		closed(t, v)
	}
}

func viewAlias(t *testing.T, ns *filemaptest.Namespace) {
	m := created(t, ns.Name("Alias"), 131072, nil)
	whole, part := viewed(t, m, 0, 0), viewed(t, m, 65536, 10)
	put(t, part, 3, "one")
	expectText(t, "whole view", whole, 65539, "one")
	put(t, whole, 65540, "two")
	expectText(t, "part view", part, 4, "two")
}

func viewCopyOnWrite(t *testing.T, ns *filemaptest.Namespace) {
	m := created(t, ns.Name("Copy"), 3*4096, nil)
	shared, private := viewed(t, m, 0, 0), viewedAs(t, m, 0, 0, filemap.CopyOnWrite)
	put(t, shared, 0, "1")
	put(t, private, 0, "2")
	expectText(t, "shared view", shared, 0, "1")
	put(t, shared, 0, "3")
	put(t, shared, 2*4096, "4")
	expectText(t, "private view", private, 0, "2")
	expectText(t, "private view's other page", private, 2*4096, "4")
}

func viewLesserHandle(t *testing.T, ns *filemaptest.Namespace) {
	created(t, ns.Name("Lesser"), 4096, nil)
	reader := opened(t, ns.Name("Lesser"), filemap.ReadOnly)
	viewed(t, reader, 0, 0)
	expectNoView(t, reader, filemap.ReadWrite, fs.ErrPermission)
}

func viewCopyOnWriteFile(t *testing.T, ns *filemaptest.Namespace) {
	path := fileOf(t, make([]byte, 4096))
	opts := &filemap.CreateOptions{File: path, Access: filemap.CopyOnWrite}
	m := created(t, ns.Name("CopyFile"), 0, opts)
	expectNoView(t, m, filemap.ReadWrite, fs.ErrPermission)
	put(t, viewedAs(t, m, 0, 0, filemap.CopyOnWrite), 0, "mine")
	expectText(t, "read-only view", viewedAs(t, m, 0, 0, filemap.ReadOnly), 0, "\x00")
	if data, err := os.ReadFile(path); err != nil || !bytes.Equal(data, make([]byte, 4096)) {
		t.Errorf("the file has changed, error %v", err)
	}
}

func viewClosedTwice(t *testing.T, ns *filemaptest.Namespace) {
	v := viewed(t, created(t, ns.Name("Closed"), 4096, nil), 0, 0)
	closed(t, v)
	expect(t, "second Close", v.Close(), os.ErrClosed)
	_, err := v.ReadAt(make([]byte, 1), 0)
	expect(t, "ReadAt of a closed view", err, os.ErrClosed)
}

func viewFlush(t *testing.T, ns *filemaptest.Namespace) {
	v := viewed(t, created(t, ns.Name("Flush"), 8192, nil), 0, 0)
	succeed(t, "Flush", v.Flush())
	closed(t, v)
	expect(t, "Flush of a closed view", v.Flush(), os.ErrClosed)
}

func viewBase(t *testing.T, ns *filemaptest.Namespace) {
	m := created(t, ns.Name("Base"), 65536, nil)
	_, err := m.ViewWith(0, 0, &filemap.ViewOptions{Base: 0x10001})
	expect(t, "View at an unaligned base", err, fs.ErrInvalid)
	base := viewAtBase(t, m)
	_, err = m.ViewWith(0, 0, &filemap.ViewOptions{Base: base})
	expect(t, "View at an occupied base", err, fs.ErrInvalid)
}

// viewAtBase maps a view at a base where nothing lies, some way off from where
// the system would have put it, and returns the base.
func viewAtBase(t *testing.T, m *filemap.Mapping) uintptr {
	t.Helper()
	base, step := address(t, viewed(t, m, 0, 0))&^0xFFFF, uintptr(1<<30)
	if bits.UintSize == 32 {
		step = 1 << 24
	}
	if bits.UintSize == 32 || uint64(base) > 1<<38 {
		step = -step // Linux fills its addresses from the top
	}
	var err error
	for range 100 {
		base += step
		var v *filemap.View
		if v, err = m.ViewWith(0, 0, &filemap.ViewOptions{Base: base}); err != nil {
			continue
		}
		t.Cleanup(func() { v.Close() })
		if address(t, v) != base {
			t.Errorf("the view is at %#x, want %#x", address(t, v), base)
		}
		return base
	}
	t.Fatalf("no view at any of 100 bases: %v", err)
	return 0
}

func address(t *testing.T, v *filemap.View) uintptr {
	t.Helper()
	data, err := v.Bytes()
	succeed(t, "Bytes", err)
	return reflect.ValueOf(data).Pointer()
}

func viewClosedHandle(t *testing.T, ns *filemaptest.Namespace) {
	m := created(t, ns.Name("NoHandle"), 4096, nil)
	closed(t, m)
	_, err := m.View(0, 0)
	expect(t, "View of a closed mapping", err, os.ErrClosed)
}

func viewSectionSize(t *testing.T, ns *filemaptest.Namespace) {
	created(t, ns.Name("Query"), 4090, nil)
	if size := opened(t, ns.Name("Query"), filemap.ReadOnly).Size(); size != 4096 {
		t.Errorf("Size() = %d, want 4096", size)
	}
}
