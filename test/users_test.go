package test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/object"
)

// Users that need not exist. Carol is in Alice's group.
const (
	alice      = 12340
	bob        = 65534
	carol      = 23450
	aliceGroup = 12340
	bobGroup   = 65534
)

// users starts processes of other users, in a namespace for all of them.
type users struct {
	t       *testing.T
	dir     string // of the objects
	program string // this test binary, where everybody may run it
}

func startUsers(t *testing.T) *users {
	t.Helper()
	linuxOnly(t, "its users need passwords")
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	if _, err := exec.LookPath("setpriv"); err != nil {
		t.Skip("needs setpriv")
	}
	filemaptest.New(t)
	u := &users{t, os.Getenv("FILEMAP_DIR"), filepath.Join(publicDir(t), "peer")}
	succeed(t, "Chmod", os.Chmod(u.dir, 0o777|os.ModeSticky)) // as /dev/shm has it
	binary, err := os.ReadFile(thisBinary(t))
	succeed(t, "ReadFile", err)
	succeed(t, "WriteFile", os.WriteFile(u.program, binary, 0o755))
	return u
}

// publicDir returns a directory that every user may enter. Those of t.TempDir
// are not.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "filemap-test-")
	succeed(t, "MkdirTemp", err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	succeed(t, "Chmod", os.Chmod(dir, 0o755))
	return dir
}

// peer starts a process of a user, with a umask that the library must not heed.
func (u *users) peer(uid, gid int) *peer {
	u.t.Helper()
	return startPeerAs(u.t, u.inRole("peer", uid, gid))
}

// inRole returns a command that runs a user's process in a role.
func (u *users) inRole(role string, uid, gid int, arguments ...string) *exec.Cmd {
	return inRole(role, "sh", append([]string{"-c", `umask 077; exec "$@"`, "sh",
		"setpriv", "--reuid=" + strconv.Itoa(uid), "--regid=" + strconv.Itoa(gid), "--clear-groups",
		u.program}, arguments...)...)
}

func (u *users) path(file string) string { return filepath.Join(u.dir, file) }

// expectRefusal checks for an error of permission that says something.
func expectRefusal(t *testing.T, what string, err error, text string) {
	t.Helper()
	expect(t, what, err, fs.ErrPermission)
	if err != nil && !strings.Contains(err.Error(), text) {
		t.Errorf("%s: %v, want it to say %q", what, err, text)
	}
}

func everybody(share object.Share) *filemap.Security { return &filemap.Security{Everybody: share} }

func TestUsersHaveLocalNamesOfTheirOwn(t *testing.T) {
	u := startUsers(t)
	a, b := u.peer(alice, aliceGroup), u.peer(bob, bobGroup)
	succeed(t, "Alice creates", a.create(`Local\X`, 4096, everybody(object.ShareNone)))
	expect(t, "Bob opens", b.open(`Local\X`, filemap.ReadOnly), fs.ErrNotExist)
	_, err := b.do(request{Op: "read file", Name: u.path("filemap.12340.X")})
	expect(t, "Bob reads the file", err, fs.ErrPermission)
	succeed(t, "Bob creates his own", b.create(`Local\X`, 4096, nil))
}

func TestSquattedName(t *testing.T) {
	u := startUsers(t)
	a := u.peer(alice, aliceGroup)
	for _, mode := range []fs.FileMode{0o600, 0o666} {
		squat := u.path("filemap.12340.X")
		succeed(t, "WriteFile", os.WriteFile(squat, make([]byte, 4096), mode))
		succeed(t, "Chmod", errors.Join(os.Chmod(squat, mode), os.Chown(squat, bob, bobGroup)))
		expectRefusal(t, "Open", a.open(`Local\X`, filemap.ReadWrite), "user 65534")
		expectRefusal(t, "Create", a.create(`Local\X`, 4096, nil), "user 65534")
		succeed(t, "Remove", os.Remove(squat)) // it was left alone
	}
}

// TestNoPlainFile puts what is no plain file in an object's place. Alice could
// open all of it.
func TestNoPlainFile(t *testing.T) {
	u := startUsers(t)
	target := u.path("target")
	succeed(t, "WriteFile", os.WriteFile(target, []byte("untouched"), 0o600))
	succeed(t, "Chown", os.Chown(target, alice, aliceGroup))
	things := map[string]func(path string) error{
		"symlink":   func(path string) error { return os.Symlink(target, path) },
		"dangling":  func(path string) error { return os.Symlink(u.path("nothing"), path) },
		"directory": func(path string) error { return os.Mkdir(path, 0o777) },
		"FIFO":      func(path string) error { return exec.Command("mkfifo", path).Run() },
	}
	a := u.peer(alice, aliceGroup)
	for what, put := range things {
		for _, owner := range []int{alice, bob} {
			path := u.path("filemap.12340.X")
			succeed(t, what, errors.Join(put(path), os.Lchown(path, owner, owner)))
			expectRefusal(t, "Open "+what, a.open(`Local\X`, filemap.ReadWrite), "no plain file")
			expectRefusal(t, "Create "+what, a.create(`Local\X`, 4096, nil), "no plain file")
			succeed(t, "Remove", os.Remove(path)) // it was left alone
		}
	}
	if data, err := os.ReadFile(target); err != nil || string(data) != "untouched" {
		t.Errorf("the link's target holds %q, error %v", data, err)
	}
	if _, err := os.Lstat(u.path("nothing")); err == nil {
		t.Error("the link's target was made")
	}
	succeed(t, "Create at last", a.create(`Local\X`, 4096, nil))
}

func TestGlobalSharing(t *testing.T) {
	u := startUsers(t)
	a, b, c := u.peer(alice, aliceGroup), u.peer(bob, bobGroup), u.peer(carol, aliceGroup)
	no := fs.ErrPermission
	tests := []struct {
		name                    string
		security                *filemap.Security
		bobReads, bobWrites     error
		carolReads, carolWrites error
	}{
		{`Global\Default`, nil, no, no, no, no},
		{`Global\None`, &filemap.Security{}, no, no, no, no},
		{`Global\Read`, everybody(object.ShareRead), nil, no, nil, no},
		{`Global\All`, everybody(object.ShareAll), nil, nil, nil, nil},
		{`Global\GroupRead`, &filemap.Security{Group: object.ShareRead}, no, no, nil, no},
		{`Global\GroupAll`, &filemap.Security{Group: object.ShareAll}, no, no, nil, nil},
	}
	for _, test := range tests {
		succeed(t, test.name, a.create(test.name, 4096, test.security))
		expect(t, test.name+": Bob reads", b.open(test.name, filemap.ReadOnly), test.bobReads)
		expect(t, test.name+": Bob writes", b.open(test.name, filemap.ReadWrite), test.bobWrites)
		expect(t, test.name+": Carol reads", c.open(test.name, filemap.ReadOnly), test.carolReads)
		expect(t, test.name+": Carol writes", c.open(test.name, filemap.ReadWrite), test.carolWrites)
	}
}
