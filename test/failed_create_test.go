package test

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"testing"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// TestFailedCreateLeavesTheFile: a Create that fails, for whatever reason, has
// not made the file that was to back the mapping, nor made it grow.
func TestFailedCreateLeavesTheFile(t *testing.T) {
	ns := filemaptest.New(t)
	mapping, event := ns.Name("Mapping"), ns.Name("Event")
	created(t, mapping, 1, nil)
	e, err := waitable.CreateEvent(event, nil)
	succeed(t, "CreateEvent", err)
	defer e.Close()
	const huge = 1 << 62
	for _, test := range []struct {
		what string
		name string
		size int64
		opts filemap.CreateOptions
		want error
	}{
		{"a mapping's name", mapping, 8192, filemap.CreateOptions{}, fs.ErrExist},
		{"an event's name", event, 8192, filemap.CreateOptions{}, object.ErrWrongKind},
		{"no room", ns.Name("Room"), huge, filemap.CreateOptions{}, nil},
		{"no room for no name", "", huge, filemap.CreateOptions{}, nil},
		{"read-only", ns.Name("ReadOnly"), 8192,
			filemap.CreateOptions{Access: filemap.ReadOnly}, nil},
		{"wrong security", ns.Name("Security"), 8192,
			filemap.CreateOptions{Security: &object.Security{SDDL: "nonsense"}}, nil},
	} {
		t.Run(test.what, func(t *testing.T) {
			if test.size == huge && runtime.GOOS == "linux" {
				t.Skip("not for linux: it would fill the disk, and TestNoSpace has one of its own")
			}
			const content = "what the user has"
			path := fileOf(t, []byte(content))
			test.opts.File = path
			expectFailure(t, test.name, test.size, test.opts, test.want)
			if got, err := os.ReadFile(path); err != nil || string(got) != content {
				t.Errorf("the file has %d bytes, %v", len(got), err)
			}
			test.opts.File = path + "-missing"
			expectFailure(t, test.name, test.size, test.opts, test.want)
			if _, err := os.Lstat(test.opts.File); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a missing file: %v, want none", err)
				os.Remove(test.opts.File)
			}
		})
	}
}

func expectFailure(t *testing.T, name string, size int64, opts filemap.CreateOptions, want error) {
	t.Helper()
	m, err := filemap.Create(name, size, &opts)
	switch {
	case err == nil:
		m.Close()
		t.Error("Create succeeds")
	case want != nil:
		expect(t, "Create", err, want)
	}
}
