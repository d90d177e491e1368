package kernel

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/filemap-go/filemap/internal/mem"
	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// newName returns a name that no other test has.
func newName(t *testing.T) object.Name {
	return object.Name{Base: t.Name() + "-" + rand.Text()}
}

func create(t *testing.T, spec MappingSpec) *Mapping {
	t.Helper()
	if spec.Context == nil {
		spec.Context = t.Context()
	}
	m, err := CreateMapping(spec)
	if err != nil {
		t.Fatalf("CreateMapping(%+v) = %v", spec, err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func open(t *testing.T, name object.Name, access object.Access) *Mapping {
	t.Helper()
	m, err := OpenMapping(t.Context(), name, access)
	if err != nil {
		t.Fatalf("OpenMapping(%v, %v) = %v", name, access, err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func mapView(t *testing.T, m *Mapping, spec ViewSpec) *mem.Region {
	t.Helper()
	region, err := m.Map(spec)
	if err != nil {
		t.Fatalf("Map(%+v) = %v", spec, err)
	}
	t.Cleanup(func() { region.Close() })
	return region
}

// wantError fails the test unless err is want.
func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s = %v, want %v", what, err, want)
	}
}

// TestCreateTakesTheName: the second creator gets an error and no handle that
// would keep the object alive.
func TestCreateTakesTheName(t *testing.T) {
	name := newName(t)
	first := create(t, MappingSpec{Name: name, Size: 4096})
	_, err := CreateMapping(MappingSpec{Name: name, Size: 8192, Context: t.Context()})
	wantError(t, "creating a live name", err, object.ErrExist)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = OpenMapping(t.Context(), name, object.ReadWrite)
	wantError(t, "opening a name whose last handle is closed", err, object.ErrNotExist)
}

func TestOtherKindsHaveTheName(t *testing.T) {
	name := newName(t)
	makeObject(t, createEvent, name.Base, 0, 0, 0)
	_, err := CreateMapping(MappingSpec{Name: name, Size: 4096, Context: t.Context()})
	wantError(t, "creating an event's name", err, object.ErrWrongKind)
	_, err = OpenMapping(t.Context(), name, object.ReadOnly)
	wantError(t, "opening an event's name", err, object.ErrWrongKind)
}

func TestSizes(t *testing.T) {
	name := newName(t)
	created := create(t, MappingSpec{Name: name, Size: 5000})
	if got := created.Size(); got != 5000 {
		t.Errorf("the creator's Size() = %d, want 5000", got)
	}
	if got := open(t, name, object.ReadWrite).Size(); got != 8192 {
		t.Errorf("another's Size() = %d, want that of the pages, 8192", got)
	}
}

// TestReadOnlyMappings: the system lets others open what they may not map for
// writing; here opening fails, as on Linux.
func TestReadOnlyMappings(t *testing.T) {
	for _, access := range []object.Access{object.ReadOnly, object.CopyOnWrite} {
		t.Run(access.String()+" memory", func(t *testing.T) {
			if onWine() {
				t.Skip("not for Wine: it forgets that the pages of memory are read-only")
			}
			checkReadOnly(t, MappingSpec{Size: 4096, Access: access})
		})
		t.Run(access.String()+" file", func(t *testing.T) {
			checkReadOnly(t, MappingSpec{File: newFile(t, "0123456789"), Access: access})
		})
	}
}

func checkReadOnly(t *testing.T, spec MappingSpec) {
	spec.Name = object.Name{Base: rand.Text()}
	m := create(t, spec)
	_, err := OpenMapping(t.Context(), spec.Name, object.ReadWrite)
	wantError(t, "opening for writing", err, object.ErrPermission)
	opened := open(t, spec.Name, object.CopyOnWrite)
	view := mapView(t, opened, ViewSpec{Length: 10, Access: object.CopyOnWrite})
	if err := view.WriteAt([]byte("private"), 0); err != nil {
		t.Errorf("writing to a copy-on-write view: %v", err)
	}
	got := make([]byte, 7)
	original := mapView(t, m, ViewSpec{Length: 10, Access: object.ReadOnly})
	if err := original.ReadAt(got, 0); err != nil || string(got) == "private" {
		t.Errorf("what was written to a copy-on-write view is seen elsewhere, %v", err)
	}
}

// TestSecurityDescriptors: the rights that others have are those that the
// creator gave, also where they may not ask for the size.
func TestSecurityDescriptors(t *testing.T) {
	user, _, err := sys.User()
	if err != nil {
		t.Fatal(err)
	}
	const mapRead = "0x4"
	name := newName(t)
	sddl := "D:(A;;" + mapRead + ";;;" + user + ")"
	create(t, MappingSpec{Name: name, Size: 5000, Security: &object.Security{SDDL: sddl}})
	_, err = OpenMapping(t.Context(), name, object.ReadWrite)
	wantError(t, "opening for writing what may only be read", err, object.ErrPermission)
	if got := open(t, name, object.ReadOnly).Size(); got != 8192 {
		t.Errorf("Size() without the right to query it = %d, want 8192", got)
	}
	_, err = CreateMapping(MappingSpec{Name: name, Size: 1, Context: t.Context()})
	wantError(t, "creating a name of which one may only read", err, object.ErrExist)

	shared := newName(t)
	readable := &object.Security{Group: object.ShareAll, Everybody: object.ShareRead}
	create(t, MappingSpec{Name: shared, Size: 1, Security: readable})
	open(t, shared, object.ReadWrite) // the owner's right

	wrong := MappingSpec{Size: 1, Security: &object.Security{SDDL: "nonsense"}, Context: t.Context()}
	_, err = CreateMapping(wrong)
	wantError(t, "creating with a wrong descriptor", err, fs.ErrInvalid)
}

func TestNames(t *testing.T) {
	tag := rand.Text()
	for _, name := range []object.Name{
		{Scope: object.Global, Base: "global " + tag},
		{Scope: object.POSIX, Base: "posix-" + tag},
		{Base: "Global/:*?$ \"ü" + tag},
		{Base: tag + strings.Repeat("x", 32766-len(tag))},
	} {
		create(t, MappingSpec{Name: name, Size: 4096})
		open(t, name, object.ReadOnly)
	}
	_, err := OpenMapping(t.Context(), object.Name{Base: "/posix-" + tag}, object.ReadOnly)
	if err != nil {
		t.Errorf("opening a POSIX name as a Local one: %v", err)
	}
	_, err = OpenMapping(t.Context(), object.Name{Base: "global " + tag}, object.ReadOnly)
	wantError(t, "opening a Global name as a Local one", err, object.ErrNotExist)
}

func TestNoSpace(t *testing.T) {
	_, err := CreateMapping(MappingSpec{Size: 1 << 50, Context: t.Context()})
	wantError(t, "creating a mapping of 1 PiB", err, object.ErrNoSpace)
}

// TestNotOnWindows: what exists for the sake of Linux does no harm.
func TestNotOnWindows(t *testing.T) {
	m := create(t, MappingSpec{Name: newName(t), Size: 4096})
	if err := m.Check(); err != nil {
		t.Errorf("Check() = %v", err)
	}
	if alias, err := m.Alias(); err != nil || alias != m.name.String() {
		t.Errorf("Alias() = %q, %v, want %v", alias, err, m.name)
	}
	if cleaned, err := Clean(); err != nil || cleaned != (Cleaned{}) {
		t.Errorf("Clean() = %v, %v", cleaned, err)
	}
	_, _, err := Watch(m.name)
	wantError(t, "Watch", err, errors.ErrUnsupported)
	wantError(t, "Unlink", Unlink(m.name), errors.ErrUnsupported)
}

func TestCreateListensToItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var reserved, total int64
	progress := func(r, of int64) { reserved, total = r, of }
	create(t, MappingSpec{Size: 4096, Context: ctx, Progress: progress})
	if reserved != 4096 || total != 4096 {
		t.Errorf("Progress was called with %d of %d, want 4096 of 4096", reserved, total)
	}
	cancel()
	create(t, MappingSpec{Size: 4096, Context: ctx}) // there is nothing to wait for
}

// newFile returns the path of a file with the content, until the test ends.
func newFile(t *testing.T, content string) string {
	t.Helper()
	file, err := os.CreateTemp("", "filemap-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Remove(file.Name()); err != nil {
			t.Error(err)
		}
	})
	defer file.Close()
	if _, err := file.WriteString(content); err != nil {
		t.Fatal(err)
	}
	return file.Name()
}

func TestFiles(t *testing.T) {
	path := newFile(t, "0123456789")
	name := newName(t)
	m := create(t, MappingSpec{Name: name, File: path, Size: 5000})
	if got := open(t, name, object.ReadOnly).Size(); got != 5000 {
		t.Errorf("Size() of a file's mapping = %d, want 5000", got)
	}
	view := mapView(t, m, ViewSpec{Length: 5000})
	if err := view.WriteAt([]byte("written"), 4000); err != nil {
		t.Fatal(err)
	}
	if err := view.Flush(); err != nil {
		t.Errorf("Flush() = %v", err)
	}
	content, err := os.ReadFile(path)
	if err != nil || len(content) != 5000 ||
		string(content[:10]) != "0123456789" || string(content[4000:4007]) != "written" {
		t.Errorf("the file has %d bytes, %v", len(content), err)
	}
	view.Close()
	whole := create(t, MappingSpec{File: path, Access: object.ReadOnly})
	if whole.Size() != 5000 {
		t.Errorf("Size() of all of a file = %d, want 5000", whole.Size())
	}
	if err := mapView(t, whole, ViewSpec{Length: 10, Access: object.ReadOnly}).Flush(); err != nil {
		t.Errorf("Flush() of a read-only view = %v", err)
	}
	// The file can be removed only when nothing of it is open any more.
	whole.Close()
	m.Close()
}

func TestWrongFiles(t *testing.T) {
	empty, small := newFile(t, ""), newFile(t, "small")
	for _, test := range []struct {
		what string
		spec MappingSpec
		want error
	}{
		{"an empty file", MappingSpec{File: empty}, fs.ErrInvalid},
		{"a missing file", MappingSpec{File: empty + "-"}, fs.ErrNotExist},
		{"a small file", MappingSpec{File: small, Size: 10}, object.ErrNoSpace},
		{"a directory", MappingSpec{File: os.TempDir()}, fs.ErrInvalid},
	} {
		test.spec.Access, test.spec.Context = object.ReadOnly, t.Context()
		_, err := CreateMapping(test.spec)
		wantError(t, "mapping "+test.what+" for reading", err, test.want)
	}
}
