package test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/object"
)

// holdLock has a process of a user hold the locks of a handle on a file, or the
// exclusive one, until release.
func holdLock(t *testing.T, kind, path string, uid int) (release func()) {
	t.Helper()
	arguments := []string{buildC(t, publicDir(t), "lock"), kind, path}
	if uid != os.Geteuid() {
		arguments = append([]string{
			"setpriv", fmt.Sprint("--reuid=", uid), fmt.Sprint("--regid=", uid), "--clear-groups",
		}, arguments...)
	}
	cmd := exec.Command(arguments[0], arguments[1:]...)
	stdin, err := cmd.StdinPipe()
	succeed(t, "StdinPipe", err)
	stdout, err := cmd.StdoutPipe()
	succeed(t, "StdoutPipe", err)
	succeed(t, "Start", cmd.Start())
	release = func() {
		stdin.Close()
		_ = cmd.Wait() // the second time it fails
	}
	t.Cleanup(release)
	if _, err := stdout.Read(make([]byte, 10)); err != nil {
		t.Fatalf("no lock on %s: %v", path, err)
	}
	return release
}

// plant puts a control page in an object's place and returns its path.
func plant(t *testing.T, name string, page []byte) string {
	t.Helper()
	path, err := filemap.NativeName(name)
	succeed(t, "NativeName", err)
	succeed(t, "WriteFile", os.WriteFile(path, page, 0o600))
	succeed(t, "Chmod", os.Chmod(path, 0o700|os.ModeSticky))
	return path
}

// record is the control page of a mapping backed by a file.
func record(t *testing.T, path string, size uint64) []byte {
	t.Helper()
	if _, err := exec.LookPath("stat"); err != nil {
		t.Skip("needs stat")
	}
	output, err := exec.Command("stat", "--format=%d %i", path).Output()
	succeed(t, "stat", err)
	control := layout.Control{Kind: object.Mapping, Backing: layout.Backing{Path: path, Size: size}}
	_, err = fmt.Sscan(string(output), &control.Backing.Dev, &control.Backing.Inode)
	succeed(t, "Sscan", err)
	return control.Page()
}

// changed returns a control page with some bytes put into it.
func changed(page []byte, at int, value uint64, size int) []byte {
	page = append([]byte(nil), page...)
	copy(page[at:at+size], binary.LittleEndian.AppendUint64(nil, value))
	return page
}

// TestHostileRecords opens live objects whose records somebody else wrote.
func TestHostileRecords(t *testing.T) {
	linuxOnly(t, "the system keeps the records")
	ns := filemaptest.New(t)
	file := fileOf(t, make([]byte, 10_000))
	good := record(t, file, 10_000)
	event := layout.Control{Kind: object.Event}.Page()
	tests := map[string]struct {
		page []byte
		want error
	}{
		"Good":      {good, nil},
		"Event":     {event, object.ErrWrongKind},
		"Empty":     {nil, object.ErrCorrupt},
		"Short":     {good[:4000], object.ErrCorrupt},
		"Zero":      {make([]byte, len(good)), object.ErrCorrupt},
		"Magic":     {changed(good, 0, 0, 8), object.ErrCorrupt},
		"Version":   {changed(good, 8, 77, 4), object.ErrVersion},
		"NoKind":    {changed(good, 12, 0, 4), object.ErrCorrupt},
		"OddKind":   {changed(good, 12, 1<<32-1, 4), object.ErrCorrupt},
		"NoSize":    {changed(good, 0x100, 0, 8), object.ErrCorrupt},
		"HugeSize":  {changed(good, 0x100, 1<<64-1, 8), object.ErrCorrupt},
		"OtherFile": {changed(good, 0x110, 1, 8), object.ErrNameLost},
		"NoPath":    {changed(good, 0x118, 0, 2), object.ErrCorrupt},
		"LongPath":  {changed(good, 0x118, 1<<16-1, 2), object.ErrCorrupt},
		"Relative":  {changed(good, 0x11A, 'x', 1), object.ErrCorrupt},
	}
	for base, test := range tests {
		name := ns.Name(base)
		release := holdLock(t, "handle", plant(t, name, test.page), os.Geteuid())
		m, err := filemap.Open(name, nil)
		expect(t, base+": Open", err, test.want)
		if err == nil {
			closed(t, viewed(t, m, 0, 0), m)
		}
		_, err = filemap.Create(name, 10, nil)
		if test.want == nil {
			expect(t, base+": Create", err, fs.ErrExist)
		} else if err == nil {
			t.Errorf("%s: Create succeeded", base)
		}
		if _, err := inspect.List(t.Context(), ""); err != nil {
			t.Errorf("%s: List: %v", base, err)
		}
		release()
		expectNone(t, base+": Open of what nobody holds", name, fs.ErrNotExist)
	}
}

// TestRecordLargerThanFile views bytes that its file does not have.
func TestRecordLargerThanFile(t *testing.T) {
	linuxOnly(t, "the system keeps the records")
	ns := filemaptest.New(t)
	path := plant(t, ns.Name("Large"), record(t, fileOf(t, make([]byte, 100)), 1<<20))
	defer holdLock(t, "handle", path, os.Geteuid())()
	m := opened(t, ns.Name("Large"), filemap.ReadWrite)
	v := viewed(t, m, 0, 0)
	_, err := v.WriteAt([]byte("x"), 1<<19)
	expect(t, "WriteAt", err, object.ErrFault)
	closed(t, v, m)
}

// TestHostileRecord has Bob name a file of Alice's that he may not touch in a
// record that Carol and root are to believe.
func TestHostileRecord(t *testing.T) {
	u := startUsers(t)
	secret := filepath.Join(filepath.Dir(u.program), "secret")
	succeed(t, "WriteFile", os.WriteFile(secret, []byte("Alice's secret"), 0o600))
	succeed(t, "Chown", os.Chown(secret, alice, aliceGroup))
	path := plant(t, `Global\X`, record(t, secret, 14))
	succeed(t, "Chmod", os.Chmod(path, 0o744|os.ModeSticky))
	succeed(t, "Chown", os.Chown(path, bob, bobGroup))
	defer holdLock(t, "handle", path, bob)()
	err := u.peer(alice, aliceGroup).open(`Global\X`, filemap.ReadOnly)
	expectRefusal(t, "Alice opens", err, "another user")
	expectNone(t, "root opens", `Global\X`, fs.ErrPermission)
}

// TestOtherPIDNamespace looks at an object from where its holder has no number.
func TestOtherPIDNamespace(t *testing.T) {
	linuxOnly(t, "it has no PID namespaces")
	ns := filemaptest.New(t)
	if output, err := exec.Command("unshare", "--pid", "--fork", "true").CombinedOutput(); err != nil {
		t.Skipf("needs unshare: %v %s", err, strings.TrimSpace(string(output)))
	}
	name := ns.Name("Inside")
	m := created(t, name, 5000, nil)
	inside := startPeerAs(t, inRole("peer",
		"unshare", "--pid", "--fork", "--mount-proc", "--kill-child", thisBinary(t)))
	found := inside.find(t, name)
	if found.Size != 5000 || len(found.Holders) != 0 {
		t.Errorf("found %+v, want 5000 bytes and no holder that it can see", found)
	}
	succeed(t, "Open inside", inside.open(name, filemap.ReadOnly))
	closed(t, m)
	outside, err := inspect.Find(t.Context(), name)
	if err != nil || outside.Size != 5000 || len(outside.Holders) != 1 {
		t.Errorf("found %+v, error %v, want one holder", outside, err)
	}
}

// find has the peer look at an object.
func (p *peer) find(t *testing.T, name string) (found inspect.Object) {
	t.Helper()
	data, err := p.do(request{Op: "find", Name: name})
	succeed(t, "Find", err)
	succeed(t, "Unmarshal", json.Unmarshal(data, &found))
	return found
}
