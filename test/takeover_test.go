package test

import (
	"io/fs"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/object"
)

// In a directory with the sticky bit only its owner can remove a file. These
// tests are about Global objects of users who left theirs behind.

func TestSharedObjectOutlivesItsCreator(t *testing.T) {
	u := startUsers(t)
	name := `Global\X`
	a, b := u.peer(alice, aliceGroup), u.peer(bob, bobGroup)
	succeed(t, "Alice creates", a.create(name, 4096, everybody(object.ShareRead)))
	succeed(t, "Alice maps a view", a.view(name))
	succeed(t, "Alice writes", a.write(name, 0, "kept"))
	succeed(t, "Bob opens", b.open(name, filemap.ReadOnly))
	succeed(t, "Bob maps a view", b.view(name))
	a.kill()
	c := u.peer(carol, aliceGroup)
	succeed(t, "Carol opens", c.open(name, filemap.ReadOnly))
	if got, err := b.read(name, 0, 4); err != nil || string(got) != "kept" {
		t.Errorf("Bob reads %q, error %v", got, err)
	}
	succeed(t, "Carol closes", c.closeMapping(name))
	succeed(t, "Bob closes", b.closeMapping(name))
	expect(t, "Carol opens what nobody holds", c.open(name, filemap.ReadOnly), fs.ErrNotExist)
	a = u.peer(alice, aliceGroup)
	expect(t, "Alice opens what nobody holds", a.open(name, filemap.ReadOnly), fs.ErrNotExist)
	succeed(t, "Alice creates it anew", a.create(name, 4096, nil))
}

// TestTakeOver has Bob make the file that Alice left into his own object.
func TestTakeOver(t *testing.T) {
	u := startUsers(t)
	name, all := `Global\X`, everybody(object.ShareAll)
	u.leave(alice, name, all)
	b, c := u.peer(bob, bobGroup), u.peer(carol, aliceGroup)
	expect(t, "Bob opens", b.open(name, filemap.ReadWrite), fs.ErrNotExist)
	succeed(t, "Bob creates", b.create(name, 10_000, all))
	expect(t, "Carol creates what Bob holds", c.create(name, 10_000, all), fs.ErrExist)
	succeed(t, "Carol opens", c.open(name, filemap.ReadWrite))
	succeed(t, "Carol maps a view", c.view(name))
	got, err := c.read(name, 0, 10_000)
	if err != nil || strings.Trim(string(got), "\x00") != "" {
		t.Errorf("the new mapping is not zero, error %v", err)
	}
	succeed(t, "Carol writes", c.write(name, 9_995, "alive"))
	succeed(t, "Bob maps a view", b.view(name))
	if got, err := b.read(name, 9_995, 5); err != nil || string(got) != "alive" {
		t.Errorf("Bob reads %q, error %v", got, err)
	}
	c.kill()
	b.kill()
	expectNone(t, "Open after all were killed", name, fs.ErrNotExist)
}

// leave has a user create a mapping, write to it and be killed.
func (u *users) leave(user int, name string, security *filemap.Security) {
	u.t.Helper()
	p := u.peer(user, user)
	succeed(u.t, "Create", p.create(name, 4096, security))
	succeed(u.t, "View", p.view(name))
	succeed(u.t, "WriteAt", p.write(name, 0, "left by the dead"))
	p.kill()
}

// TestAwaitTakeOver awaits an object whose name does not come to be: its file
// has been there all the time.
func TestAwaitTakeOver(t *testing.T) {
	u := startUsers(t)
	name, all := `Global\X`, everybody(object.ShareAll)
	u.leave(alice, name, all)
	b, c := u.peer(bob, bobGroup), u.peer(carol, aliceGroup)
	c.begin(request{Op: "await", Name: name})
	for watchesOf(t, strconv.Itoa(c.cmd.Process.Pid)) == 0 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond) // it looks once after it has begun to watch
	succeed(t, "Bob creates", b.create(name, 10_000, all))
	_, err := c.finish()
	succeed(t, "Carol awaits", err)
}

// TestNoTakeOver has Bob meet what he can't make into the object he wants.
func TestNoTakeOver(t *testing.T) {
	u := startUsers(t)
	all, reading := everybody(object.ShareAll), everybody(object.ShareRead)
	const dead = "dead object of user 12340"
	tests := []struct {
		what         string
		left, wanted *filemap.Security
		opened       error
		text         string
	}{
		{"private", nil, all, fs.ErrPermission, "denied"},
		{"for reading", reading, all, fs.ErrNotExist, dead},
		{"wanted private", all, nil, fs.ErrNotExist, dead},
		{"wanted for reading", all, reading, fs.ErrNotExist, dead},
	}
	for _, test := range tests {
		name := `Global\` + test.what
		u.leave(alice, name, test.left)
		b := u.peer(bob, bobGroup)
		expect(t, test.what+": Bob opens", b.open(name, filemap.ReadOnly), test.opened)
		expectRefusal(t, test.what+": Bob creates", b.create(name, 4096, test.wanted), test.text)
		succeed(t, test.what+": Alice creates", u.peer(alice, aliceGroup).create(name, 4096, nil))
	}
}

// TestNoTakeOverUnderView has Carol still look at what Alice left.
func TestNoTakeOverUnderView(t *testing.T) {
	u := startUsers(t)
	name, all := `Global\X`, everybody(object.ShareAll)
	a, b, c := u.peer(alice, aliceGroup), u.peer(bob, bobGroup), u.peer(carol, aliceGroup)
	succeed(t, "Alice creates", a.create(name, 4096, all))
	succeed(t, "Carol opens", c.open(name, filemap.ReadWrite))
	succeed(t, "Carol maps a view", c.view(name))
	succeed(t, "Carol writes", c.write(name, 0, "hers"))
	succeed(t, "Carol closes her handle", c.closeMapping(name))
	a.kill()
	expectRefusal(t, "Bob creates", b.create(name, 4096, all), "view of it is still in use")
	if got, err := c.read(name, 0, 4); err != nil || string(got) != "hers" {
		t.Errorf("Carol reads %q, error %v", got, err)
	}
	c.kill()
	succeed(t, "Bob creates when she is gone", b.create(name, 4096, all))
}

// TestRootCleans has root give back what all users left.
func TestRootCleans(t *testing.T) {
	u := startUsers(t)
	u.leave(alice, `Global\A`, nil)
	u.leave(bob, `Global\B`, everybody(object.ShareAll))
	b := u.peer(bob, bobGroup)
	succeed(t, "Bob creates", b.create(`Global\C`, 4096, nil))
	cleaned, err := inspect.Clean()
	succeed(t, "Clean", err)
	if cleaned.Objects == 0 {
		t.Error("Clean found nothing")
	}
	files, err := os.ReadDir(u.dir)
	if err != nil || len(files) != 1 || files[0].Name() != "filemap.g.C" {
		t.Errorf("left: %v, error %v, want the live object only", files, err)
	}
}

// TestHostileLock has Bob hold a lock that only the library should hold, on a
// file that he may read. Alice's calls fail, but they end.
func TestHostileLock(t *testing.T) {
	u := startUsers(t)
	name := `Global\X`
	u.leave(alice, name, everybody(object.ShareRead))
	release := holdLock(t, "exclusive", u.path("filemap.g.X"), bob)
	a, again := u.peer(alice, aliceGroup), u.peer(alice, aliceGroup)
	a.begin(request{Op: "open", Name: name}) // the two take their time at once
	again.begin(request{Op: "create", Name: name, Size: 4096})
	_, err := a.finish()
	expect(t, "Alice opens", err, os.ErrDeadlineExceeded)
	_, err = again.finish()
	expect(t, "Alice creates", err, os.ErrDeadlineExceeded)
	release()
	succeed(t, "Alice creates when he has gone", a.create(name, 4096, nil))
}

// TestHostileLink has Bob give Alice's file a name of his own: the object dies
// as ever.
func TestHostileLink(t *testing.T) {
	u := startUsers(t)
	name := `Global\X`
	a, b := u.peer(alice, aliceGroup), u.peer(bob, bobGroup)
	for _, link := range []string{"filemap.g.Y", "filemap.g.X%shm", "other"} {
		succeed(t, "Alice creates", a.create(name, 4096, everybody(object.ShareAll)))
		_, err := b.do(request{Op: "link", Name: u.path("filemap.g.X"), Data: []byte(u.path(link))})
		succeed(t, "Bob links", err)
		succeed(t, "Alice closes", a.closeMapping(name))
		expect(t, "Bob opens", b.open(name, filemap.ReadWrite), fs.ErrNotExist)
		expect(t, "Bob opens his link", b.open(`Global\Y`, filemap.ReadWrite), fs.ErrNotExist)
	}
	succeed(t, "Alice creates at last", a.create(name, 4096, nil))
	expect(t, "Bob opens", b.open(name, filemap.ReadWrite), fs.ErrPermission)
}
