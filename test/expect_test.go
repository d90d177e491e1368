package test

import (
	"errors"
	"os"
	"runtime"
	"testing"

	"github.com/filemap-go/filemap"
)

// linuxOnly skips a test of what only Linux has.
func linuxOnly(t testing.TB, why string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skipf("not for %s: %s", runtime.GOOS, why)
	}
}

const onWindows = runtime.GOOS == "windows"

func expect(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func succeed(t testing.TB, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// created, opened and viewed return what is closed when the test ends, if it
// has not been by then.

func created(t testing.TB, name string, size int64, opts *filemap.CreateOptions) *filemap.Mapping {
	t.Helper()
	m, err := filemap.Create(name, size, opts)
	succeed(t, "Create", err)
	t.Cleanup(func() { m.Close() })
	return m
}

func opened(t testing.TB, name string, access filemap.Access) *filemap.Mapping {
	t.Helper()
	m, err := filemap.Open(name, &filemap.OpenOptions{Access: access})
	succeed(t, "Open", err)
	t.Cleanup(func() { m.Close() })
	return m
}

func viewed(t testing.TB, m *filemap.Mapping, offset, length int64) *filemap.View {
	t.Helper()
	return viewedAs(t, m, offset, length, m.Access())
}

func viewedAs(
	t testing.TB, m *filemap.Mapping, offset, length int64, access filemap.Access,
) *filemap.View {
	t.Helper()
	v, err := m.ViewWith(offset, length, &filemap.ViewOptions{Access: &access})
	succeed(t, "View", err)
	t.Cleanup(func() { v.Close() })
	return v
}

// closed closes things, which must succeed.
func closed(t testing.TB, things ...interface{ Close() error }) {
	t.Helper()
	for _, thing := range things {
		succeed(t, "Close", thing.Close())
	}
}

// expectNone fails the test if a mapping can be opened.
func expectNone(t testing.TB, what, name string, want error) {
	t.Helper()
	m, err := filemap.Open(name, nil)
	if err == nil {
		m.Close()
	}
	expect(t, what, err, want)
}

func put(t testing.TB, v *filemap.View, offset int64, text string) {
	t.Helper()
	_, err := v.WriteAt([]byte(text), offset)
	succeed(t, "WriteAt", err)
}

func expectText(t testing.TB, what string, v *filemap.View, offset int64, want string) {
	t.Helper()
	got := make([]byte, len(want))
	_, err := v.ReadAt(got, offset)
	succeed(t, "ReadAt", err)
	if string(got) != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// fileOf returns the path of a new file of some bytes, removed when the test
// ends. It does without t.TempDir, which Wine 8 can't remove.
func fileOf(t testing.TB, data []byte) string {
	t.Helper()
	file, err := os.CreateTemp("", "filemap-test-*")
	succeed(t, "CreateTemp", err)
	t.Cleanup(func() {
		if err := os.Remove(file.Name()); err != nil {
			t.Error(err)
		}
	})
	_, err = file.Write(data)
	succeed(t, "Write", errors.Join(err, file.Close()))
	return file.Name()
}

// closeLater closes something at the end of the test.
func closeLater(t *testing.T, c interface{ Close() error }) {
	t.Cleanup(func() { succeed(t, "Close", c.Close()) })
}
