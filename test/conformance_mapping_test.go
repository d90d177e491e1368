package test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"testing"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/object"
)

func mapOpenMissing(t *testing.T, ns *filemaptest.Namespace) {
	expectNone(t, "Open", ns.Name("Missing"), fs.ErrNotExist)
}

func mapReadOnly(t *testing.T, ns *filemaptest.Namespace) {
	m := created(t, ns.Name("ReadOnly"), 4096, &filemap.CreateOptions{Access: filemap.ReadOnly})
	viewed(t, m, 0, 0)
	expectNoView(t, m, filemap.ReadWrite, fs.ErrPermission)
}

func mapSizeRounded(t *testing.T, ns *filemaptest.Namespace) {
	created(t, ns.Name("Small"), 1, nil)
	m := opened(t, ns.Name("Small"), filemap.ReadWrite)
	if m.Size() != 4096 {
		t.Errorf("Size() = %d, want 4096", m.Size())
	}
	put(t, viewed(t, m, 0, 0), 4095, "x")
}

func mapZeroed(t *testing.T, ns *filemaptest.Namespace) {
	m := created(t, ns.Name("Zeroed"), 200_000, nil)
	expectText(t, "new memory", viewed(t, m, 0, 0), 0, string(make([]byte, 200_000)))
}

func mapSparse(t *testing.T, ns *filemaptest.Namespace) {
	m := created(t, ns.Name("Sparse"), 1<<20, &filemap.CreateOptions{Sparse: true})
	put(t, viewed(t, m, 0, 0), 0, "\x03")
	expectText(t, "second view", viewed(t, m, 0, 0), 0, "\x03")
}

func mapMany(t *testing.T, ns *filemaptest.Namespace) {
	for i := range 200 {
		created(t, fmt.Sprint(ns.Name("Many"), i), 4096, nil)
	}
	for i := range 200 {
		closed(t, opened(t, fmt.Sprint(ns.Name("Many"), i), filemap.ReadWrite))
	}
}

func fileEmpty(t *testing.T, ns *filemaptest.Namespace) {
	_, err := filemap.Create(ns.Name("Empty"), 0, &filemap.CreateOptions{File: fileOf(t, nil)})
	expect(t, "Create", err, fs.ErrInvalid)
}

func fileNoAccess(t *testing.T, ns *filemaptest.Namespace) {
	file, err := os.OpenFile(fileOf(t, make([]byte, 4096)), os.O_WRONLY, 0)
	succeed(t, "OpenFile", err)
	defer file.Close()
	_, err = filemap.Create(ns.Name("M"), 0, &filemap.CreateOptions{OpenFile: file, Access: readOnly})
	expect(t, "Create", err, denied)
}

func fileReadOnlyLarger(t *testing.T, ns *filemaptest.Namespace) {
	opts := &filemap.CreateOptions{File: fileOf(t, []byte("small")), Access: filemap.ReadOnly}
	_, err := filemap.Create(ns.Name("Larger"), 4096, opts)
	expect(t, "Create", err, object.ErrNoSpace)
}

func fileSize(t *testing.T, ns *filemaptest.Namespace) {
	path := fileOf(t, make([]byte, 10_000))
	m := created(t, ns.Name("File"), 0, &filemap.CreateOptions{File: path})
	v := viewed(t, m, 0, 0)
	if m.Size() != 10_000 || v.Len() != 10_000 {
		t.Errorf("mapping of %d bytes, view of %d, want 10000", m.Size(), v.Len())
	}
	closed(t, v, m)
	if stat, err := os.Stat(path); err != nil || stat.Size() != 10_000 {
		t.Errorf("the file has %d bytes now, error %v", stat.Size(), err)
	}
}

func fileCoherent(t *testing.T, ns *filemaptest.Namespace) {
	path := fileOf(t, make([]byte, 4096))
	m := created(t, ns.Name("Coherent"), 0, &filemap.CreateOptions{File: path})
	v := viewed(t, m, 0, 0)
	put(t, v, 0, "hello")
	expectFile(t, path, "hello")
	closed(t, m)
	expectText(t, "view without its mapping", v, 0, "hello")
	closed(t, v)
	expectFile(t, path, "hello")
}

func expectFile(t *testing.T, path, start string) {
	t.Helper()
	if data, err := os.ReadFile(path); err != nil || !bytes.HasPrefix(data, []byte(start)) {
		t.Errorf("the file begins with %.10q, error %v, want %q", data, err, start)
	}
}

func fileTruncate(t *testing.T, ns *filemaptest.Namespace) {
	path := fileOf(t, make([]byte, 10_000))
	m := created(t, ns.Name("Truncate"), 0, &filemap.CreateOptions{File: path})
	v := viewed(t, m, 0, 0)
	if err := os.Truncate(path, 100); err == nil {
		t.Error("Truncate of a mapped file succeeded")
	}
	closed(t, v, m)
	succeed(t, "Truncate", os.Truncate(path, 100))
}
