package kernel

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// grants are all that an owner can grant of a synchronization object, the most
// first.
var grants = append(syncRights[:], 0)

// syncSpecs have one object of each kind.
func syncSpecs() []SyncSpec {
	return []SyncSpec{
		{Kind: object.Event, Manual: true, Signaled: true},
		{Kind: object.Semaphore, Count: 1, Max: 2},
		{Kind: object.Mutex},
		{Kind: object.Timer},
	}
}

// TestOpeningAsksForTheMostFirst asks a function in the system's place, for all
// that can be granted: it is asked for nothing twice, and for no right that the
// kind has not, and what is opened has all rights that are granted.
func TestOpeningAsksForTheMostFirst(t *testing.T) {
	for _, spec := range syncSpecs() {
		for _, granted := range grants {
			var asked []uint32
			_, rights, err := openMost(spec.Kind, func(wanted uint32) (sys.Handle, error) {
				if slices.Contains(asked, wanted) || wanted&^rightsMax(spec.Kind) != 0 {
					t.Errorf("%v: asked for %#x after %#x", spec.Kind, wanted, asked)
				}
				asked = append(asked, wanted)
				if wanted&^granted != 0 {
					return 0, sys.ERROR_ACCESS_DENIED
				}
				return 1, nil
			})
			want := granted & rightsMax(spec.Kind)
			if rights != want || (err == nil) != (want != 0) {
				t.Errorf("%v with %#x granted: opened for %#x, %v", spec.Kind, granted, rights, err)
			}
		}
	}
	for _, end := range []error{nil, sys.ERROR_FILE_NOT_FOUND, sys.ERROR_INVALID_HANDLE} {
		calls := 0
		_, _, err := openMost(object.Event, func(uint32) (sys.Handle, error) {
			calls++
			return 0, end
		})
		if calls != 1 || err != end {
			t.Errorf("asked %d times for what is %v, %v", calls, end, err)
		}
	}
}

// grant has an object grant this user just these rights. Wine lets the owner
// wait for anything, so there the object becomes another user's, too.
func grant(t *testing.T, handle sys.Handle, rights uint32) {
	t.Helper()
	user, _, err := sys.User()
	if err != nil {
		t.Fatal(err)
	}
	sddl := "D:"
	if rights != 0 {
		sddl += fmt.Sprintf("(A;;%#x;;;%s)", rights, user)
	}
	if onWine() {
		sddl = "O:S-1-5-21-0-0-0-4711" + sddl
	}
	restrict(t, handle, sddl)
}

// createGranting creates an object that grants this user just these rights.
func createGranting(t *testing.T, spec SyncSpec, rights uint32) *Sync {
	t.Helper()
	s, err := CreateSync(spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	grant(t, s.handle, rights)
	return s
}

// TestHandlesWithFewerRights: a handle does what the owner grants, and says what
// it may not do at the call that needs it.
func TestHandlesWithFewerRights(t *testing.T) {
	for _, spec := range syncSpecs() {
		for _, granted := range grants {
			if granted&^rightsMax(spec.Kind) != 0 {
				continue
			}
			t.Run(fmt.Sprintf("%v %#x", spec.Kind, granted), func(t *testing.T) {
				checkFewerRights(t, spec, granted)
			})
		}
	}
}

func checkFewerRights(t *testing.T, spec SyncSpec, granted uint32) {
	spec.Name = newName(t)
	wantError(t, "the creator's change", change(createGranting(t, spec, granted)), nil)
	checkState(t, spec, granted)
	opened, err := OpenSync(spec.Name, spec.Kind)
	_, again := CreateSync(spec)
	if granted == 0 {
		wantError(t, "opening what grants nothing", err, object.ErrPermission)
		wantError(t, "creating what grants nothing", again, object.ErrPermission)
		return
	}
	wantError(t, "creating what exists", again, object.ErrExist)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	taken, _, err := opened.TryWait()
	checkDenied(t, spec.Kind, "waiting", err, granted, sys.SYNCHRONIZE)
	if spec.Kind == object.Mutex {
		if err == nil {
			wantError(t, "unlocking", opened.Unlock(taken), nil)
		}
		return
	}
	checkDenied(t, spec.Kind, "changing", change(opened), granted, sys.MODIFY_STATE)
}

// change changes an object in the way of its kind, in a way that can be repeated.
func change(s *Sync) error {
	switch s.kind {
	case object.Event:
		return errors.Join(s.SetEvent(), s.SetEvent())
	case object.Timer:
		return errors.Join(s.SetTimer(Schedule{}), s.CancelTimer())
	case object.Semaphore:
		_, err := s.ReleaseSemaphore(3)
		if err == object.ErrLimit {
			err = nil // it may be released, but not so often
		}
		return err
	}
	return nil
}

// checkDenied checks the result of a call that needs a right.
func checkDenied(t *testing.T, kind object.Kind, what string, err error, granted, needed uint32) {
	t.Helper()
	if granted&needed != 0 {
		wantError(t, what+" as granted", err, nil)
		return
	}
	wantError(t, what+" without the right", err, object.ErrPermission)
	want := "but not " + rightVerb(kind, needed) + " it"
	if err != nil && !strings.Contains(err.Error(), want) {
		t.Errorf("%s: %q does not say %q", what, err, want)
	}
}

// checkState checks that the state is told if it may be queried, and else said
// to be unknown.
func checkState(t *testing.T, spec SyncSpec, granted uint32) {
	t.Helper()
	info, err := Find(t.Context(), spec.Name)
	if err != nil || info.Kind != spec.Kind {
		t.Fatalf("Find() = %+v, %v, want a %v", info, err, spec.Kind)
	}
	if granted&sys.QUERY_STATE == 0 {
		if !info.Denied || info.State != (State{}) {
			t.Errorf("without the right to query it Find() = %+v", info)
		}
		return
	}
	got := info.State
	free := got.Signaled && got.Owner == 0 && !got.Abandoned
	right := map[object.Kind]bool{
		object.Event:     got.Signaled && got.Manual && !got.Unknown.Manual,
		object.Semaphore: got.Signaled && got.Count == 1 && got.Max == 2,
		object.Mutex:     free,
		object.Timer:     got.Unknown.Manual && got.Unknown.Period,
	}
	if info.Denied || !right[spec.Kind] || !got.Unknown.Waiters {
		t.Errorf("Find() = %+v, not as created", info)
	}
}

// TestSeveralNameTheOneDenied: a wait for several says of which it speaks.
func TestSeveralNameTheOneDenied(t *testing.T) {
	spec := SyncSpec{Kind: object.Event, Name: newName(t)}
	created := createGranting(t, spec, sys.MODIFY_STATE)
	setOnly, err := OpenSync(spec.Name, object.Event)
	if err != nil {
		t.Fatal(err)
	}
	defer setOnly.Close()
	_, _, err = WaitAny(t.Context(), []*Sync{created, setOnly})
	wantError(t, "waiting for any", err, object.ErrPermission)
	if err == nil || !strings.Contains(err.Error(), spec.Name.String()) {
		t.Errorf("%v does not name %v", err, spec.Name)
	}
	_, err = WaitAll(t.Context(), []*Sync{setOnly})
	wantError(t, "waiting for all", err, object.ErrPermission)
}

// TestMappingsWithFewerRights: an error says what is granted, and the size is
// told wherever it can be had.
func TestMappingsWithFewerRights(t *testing.T) {
	const read, write, query = sys.FILE_MAP_READ, sys.FILE_MAP_WRITE, sys.SECTION_QUERY
	const noRead = "may write the mapping, but not read it"
	for _, test := range []struct {
		granted       uint32
		reads, writes string // what the error says; "" if it opens
		size          int64  // as Find tells it; 0 if it can't be had
	}{
		{read | write | query, "", "", 8192},
		{read | write, "", "", 8192},
		{read | query, "", "may read the mapping, but not write it", 8192},
		{read, "", "may read the mapping, but not write it", 8192},
		{write | query, noRead, noRead, 8192},
		{write, noRead, noRead, 0},
		{query, "may query the mapping's size", "may query the mapping's size", 8192},
		{0, "no right", "no right", 0},
	} {
		t.Run(fmt.Sprintf("%#x", test.granted), func(t *testing.T) {
			name := newName(t)
			m := create(t, MappingSpec{Name: name, Size: 5000})
			grant(t, m.section, test.granted)
			checkOpens(t, name, object.ReadOnly, test.reads)
			checkOpens(t, name, object.ReadWrite, test.writes)
			info, err := Find(t.Context(), name)
			if err != nil || info.Size != test.size || info.Denied != (test.size == 0) {
				t.Errorf("Find() = %+v, %v, want %d bytes", info, err, test.size)
			}
			want := object.ErrExist
			if test.granted == 0 {
				want = object.ErrPermission
			}
			_, err = CreateMapping(MappingSpec{Name: name, Size: 1, Context: t.Context()})
			wantError(t, "creating what exists", err, want)
		})
	}
}

func checkOpens(t *testing.T, name object.Name, access object.Access, denial string) {
	t.Helper()
	m, err := OpenMapping(t.Context(), name, access)
	if denial == "" {
		if err != nil || m.Size() != 8192 {
			t.Errorf("OpenMapping(%v) = %v, %v, want 8192 bytes", access, m, err)
		}
	} else if !errors.Is(err, object.ErrPermission) || !strings.Contains(err.Error(), denial) {
		t.Errorf("OpenMapping(%v) = %v, want one that says %q", access, err, denial)
	}
	if err == nil {
		m.Close()
	}
}

// TestLargePagesAreNotReadOnly: of large pages, before Windows 10 1703, the
// system maps whole ones only.
func TestLargePagesAreNotReadOnly(t *testing.T) {
	large := func(length int) error {
		if length != 0 {
			return sys.ERROR_INVALID_PARAMETER
		}
		return nil
	}
	wantError(t, "writing to large pages", checkWritable(large), nil)
	readOnly := func(int) error { return sys.ERROR_INVALID_PARAMETER }
	wantError(t, "writing to read-only pages", checkWritable(readOnly), object.ErrPermission)
}
