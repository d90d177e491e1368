package test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// TestFilesOfOtherPrograms has files with such names as filemap gives its own,
// and none of its marks. Nothing that filemap does removes or changes them.
func TestFilesOfOtherPrograms(t *testing.T) {
	linuxOnly(t, "objects are no files there")
	ns := filemaptest.New(t)
	dir := os.Getenv("FILEMAP_DIR")
	uid := os.Geteuid()
	local := func(rest string) string {
		return filepath.Join(dir, "filemap."+strconv.Itoa(uid)+"."+rest)
	}
	files := map[string]fs.FileMode{
		local("txt"): 0o644, local("private"): 0o600, local("run"): 0o700, local("all"): 0o777,
		local("read"): 0o400, local("alias%shm"): 0o600, filepath.Join(dir, "filemap.g.md"): 0o644,
		filepath.Join(dir, "filemap.g.all"): 0o666, filepath.Join(dir, "filemap.g.private"): 0o600,
		filepath.Join(dir, "filemap.go"): 0o644, filepath.Join(dir, "filemap."): 0o600,
	}
	for path, mode := range files {
		succeed(t, "WriteFile", os.WriteFile(path, []byte("kept"), mode))
		succeed(t, "Chmod", os.Chmod(path, mode))
		defer os.Remove(path)
	}
	names := []string{`Local\txt`, `Local\private`, `Local\run`, `Global\md`, `Global\all`}
	for _, name := range names {
		expectNone(t, "Open", name, object.ErrVersion)
		_, err := filemap.Create(name, 100, nil)
		expect(t, "Create", err, object.ErrVersion)
		_, err = waitable.CreateMutex(name, nil)
		expect(t, "CreateMutex", err, object.ErrVersion)
	}
	m := created(t, ns.Name("alias"), 100, nil)
	succeed(t, "Rename", os.Rename(local("alias%shm"), fileName(t, m)+"%shm"))
	_, err := m.Alias()
	expect(t, "Alias", err, object.ErrVersion)
	succeed(t, "Rename", os.Rename(fileName(t, m)+"%shm", local("alias%shm")))
	closed(t, m)
	cleaned, err := inspect.Clean()
	if err != nil || cleaned.Objects != 0 {
		t.Errorf("Clean() = %+v, error %v, want nothing", cleaned, err)
	}
	for path, mode := range files {
		stat, err := os.Stat(path)
		if err != nil || stat.Mode() != mode || stat.Size() != 4 {
			t.Errorf("%s: %v, error %v, want it as it was", path, stat, err)
		}
	}
}

func fileName(t *testing.T, m *filemap.Mapping) string {
	t.Helper()
	path, err := filemap.NativeName(m.Name())
	succeed(t, "NativeName", err)
	return path
}

// TestOlderVersion has a holder of a version 1 object: its mapping and its page
// are told apart from dead ones.
func TestOlderVersion(t *testing.T) {
	linuxOnly(t, "the system keeps the objects")
	ns := filemaptest.New(t)
	raw := fileName(t, created(t, ns.Name("raw"), 4096, nil))
	_ = os.Remove(raw)
	succeed(t, "WriteFile", os.WriteFile(raw, make([]byte, 4096), 0o600))
	expectNone(t, "Open of a mapping", ns.Name("raw"), object.ErrVersion)
	succeed(t, "Remove", os.Remove(raw))

	page := plant(t, ns.Name("page"), make([]byte, 4096))
	succeed(t, "Chmod", os.Chmod(page, 0o600|os.ModeSticky)) // as version 1 has it
	release := holdLock(t, "version1", page, os.Geteuid())
	for range 2 {
		expectNone(t, "Open of a page", ns.Name("page"), object.ErrVersion)
		_, err := waitable.CreateMutex(ns.Name("page"), nil)
		expect(t, "CreateMutex", err, object.ErrVersion)
		_, err = inspect.Clean()
		succeed(t, "Clean", err)
	}
	release()
	m, err := waitable.CreateMutex(ns.Name("page"), nil)
	succeed(t, "CreateMutex when it is dead", err)
	closed(t, m)
}

// TestFailedCreateLeavesFile: an error of Create means that nothing has changed.
func TestFailedCreateLeavesFile(t *testing.T) {
	linuxOnly(t, "where the file grows before the name is known")
	ns := filemaptest.New(t)
	dir := t.TempDir()
	missing, short := filepath.Join(dir, "missing"), filepath.Join(dir, "short")
	succeed(t, "WriteFile", os.WriteFile(short, []byte("short"), 0o600))
	defer closed(t, created(t, ns.Name("taken"), 100, nil))
	event, err := waitable.CreateEvent(ns.Name("event"), nil)
	succeed(t, "CreateEvent", err)
	defer closed(t, event)
	expectUnchanged := func(what string, size int64, name string, cause error) {
		t.Helper()
		for _, path := range []string{missing, short} {
			_, err := filemap.Create(name, size, &filemap.CreateOptions{File: path})
			expect(t, what, err, cause)
		}
		if _, err := os.Lstat(missing); err == nil {
			t.Errorf("%s: the file was made", what)
			_ = os.Remove(missing)
		}
		if data, err := os.ReadFile(short); err != nil || string(data) != "short" {
			t.Errorf("%s: the file has %d bytes now, error %v", what, len(data), err)
			_ = os.WriteFile(short, []byte("short"), 0o600)
		}
	}
	expectUnchanged("the name exists", 4096, ns.Name("taken"), fs.ErrExist)
	expectUnchanged("another kind", 4096, ns.Name("event"), object.ErrWrongKind)
	expectUnchanged("no space", 1<<50, ns.Name("free"), object.ErrNoSpace)
	expectUnchanged("no space, no name", 1<<50, "", object.ErrNoSpace)
	expectNone(t, "Open of what failed", ns.Name("free"), fs.ErrNotExist)
	for _, path := range []string{missing, short} {
		m, err := filemap.Create(ns.Name("free"), 4096, &filemap.CreateOptions{File: path})
		succeed(t, "Create", err)
		stat, err := os.Stat(path)
		if err != nil || stat.Size() != 4096 {
			t.Errorf("%s: %v, error %v, want 4096 bytes", path, stat, err)
		}
		again := opened(t, ns.Name("free"), filemap.ReadWrite)
		closed(t, again, m)
	}
}
