package test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/object"
)

// Other users can give files that are not theirs other names: a link takes
// nothing but the right to write the file, and a rename nothing but the
// directory. An object is then alive under the name that it was made for, and
// under no other.

// victims are whose names Bob is after.
var victims = []int{alice, 0}

// localFile returns the path of a user's Local object.
func (u *users) localFile(uid int, base string) string {
	return u.path(fmt.Sprintf("filemap.%d.%s", uid, base))
}

func (p *peer) ask(op, name, data string) error {
	p.t.Helper()
	_, err := p.do(request{Op: op, Name: name, Data: []byte(data)})
	return err
}

// once has a new process of a user do one thing, and end.
func (u *users) once(uid int, r request) error {
	u.t.Helper()
	p := u.peer(uid, uid)
	defer p.exit()
	_, err := p.do(r)
	return err
}

// shared are the ways in which a victim shares an object with Bob, and uses one
// of its own.
var shared = []struct{ kind, create, open string }{
	{"mapping", "create", "open"},
	{"mutex", "create mutex", "keep mutex"},
	{"queue", "create queue", "open queue"},
}

// TestSharedObjectIsLinkedToLocalName has Bob link each file of an object that a
// user shares with everybody to a Local name of that user.
func TestSharedObjectIsLinkedToLocalName(t *testing.T) {
	u := startUsers(t)
	for _, uid := range victims {
		for _, way := range shared {
			t.Run(fmt.Sprintf("%s of %d", way.kind, uid), func(t *testing.T) {
				sharer, b := u.peer(uid, uid), u.peer(bob, bobGroup)
				board := fmt.Sprintf("board%d%s", uid, way.kind)
				_, err := sharer.do(request{
					Op: way.create, Name: `Global\` + board, Size: 4096, Security: everybody(object.ShareAll),
				})
				succeed(t, "the victim shares", err)
				links := u.linkAll(b, "filemap.g."+board, u.localFile(uid, "Secret"))
				if len(links) == 0 {
					t.Fatal("nothing is linked")
				}
				for _, link := range links { // what a handle to Secret would have
					defer holdLock(t, "handle", link, bob)()
				}
				u.expectOwnOrNothing(t, uid, way.kind, way.create, way.open)
				sharer.exit() // the locks keep the object alive
				u.expectOwnOrNothing(t, uid, way.kind, way.create, way.open)
				for _, link := range links {
					succeed(t, "Remove", os.Remove(link))
				}
				owner := u.peer(uid, uid)
				defer owner.exit()
				_, err = owner.do(request{Op: way.create, Name: `Local\Secret`, Size: 4096})
				succeed(t, "the victim creates when the links are gone", err)
				if links := u.linkAll(b, "filemap.g."+board, u.localFile(uid, "Secret")); len(links) != 0 {
					t.Errorf("linked over a live object: %v", links)
				}
				succeed(t, "the victim opens its own", u.once(uid, request{Op: way.open, Name: `Local\Secret`}))
			})
		}
	}
}

// linkAll has a user link each file whose name begins with a prefix to one that
// begins with another, and returns what could be linked.
func (u *users) linkAll(p *peer, from, to string) (links []string) {
	u.t.Helper()
	files, err := filepath.Glob(u.path(from) + "*")
	succeed(u.t, "Glob", err)
	for _, file := range files {
		link := to + strings.TrimPrefix(file, u.path(from))
		if p.ask("link", file, link) == nil {
			links = append(links, link)
		}
	}
	return links
}

// expectOwnOrNothing has a new process of the victim use its name, which leads
// to what Bob linked there.
func (u *users) expectOwnOrNothing(t *testing.T, uid int, kind, create, open string) {
	t.Helper()
	victim := u.peer(uid, uid)
	defer victim.exit()
	_, err := victim.do(request{Op: open, Name: `Local\Secret`})
	expectRefusal(t, "the victim opens a "+kind, err, "admits other users")
	_, err = victim.do(request{Op: create, Name: `Local\Secret`, Size: 4096})
	expectRefusal(t, "the victim creates a "+kind, err, "admits other users")
}

// TestPrivateObjectIsLinked links a user's private object to another name of the
// same user, which the system forbids Bob as a rule.
func TestPrivateObjectIsLinked(t *testing.T) {
	u := startUsers(t)
	a, b := u.peer(alice, aliceGroup), u.peer(bob, bobGroup)
	succeed(t, "Alice creates", a.create(`Local\Low`, 4096, nil))
	low, high := u.localFile(alice, "Low"), u.localFile(alice, "High")
	if b.ask("link", low, high) == nil {
		t.Log("figures: fs.protected_hardlinks is 0")
	} else {
		t.Log("figures: fs.protected_hardlinks is 1: root links for Bob")
		succeed(t, "Link", os.Link(low, high))
	}
	u.expectNotLow(t, a, "linked")
	succeed(t, "Alice's own name", u.once(alice, request{Op: "open", Name: `Local\Low`}))
	succeed(t, "Alice closes", a.closeMapping(`Local\Low`))
	u.expectFree(t, `Local\High`)
}

// TestPrivateObjectsAreSwapped renames a user's private objects in a directory
// that lets Bob do so.
func TestPrivateObjectsAreSwapped(t *testing.T) {
	u := startUsers(t)
	succeed(t, "Chmod", os.Chmod(u.dir, 0o777))
	b := u.peer(bob, bobGroup)
	low, high, between := u.localFile(alice, "Low"), u.localFile(alice, "High"), u.path("between")
	swap := func() {
		succeed(t, "Bob swaps", errors.Join(b.ask("rename", low, between),
			b.ask("rename", high, low), b.ask("rename", between, high)))
	}
	for _, record := range []bool{false, true} {
		one, other := u.peer(alice, aliceGroup), u.peer(alice, aliceGroup)
		for base, p := range map[string]*peer{"Low": one, "High": other} {
			file := ""
			if record {
				file = filepath.Join(publicDir(t), base)
				succeed(t, "WriteFile", os.WriteFile(file, make([]byte, 4096), 0o600))
				succeed(t, "Chown", os.Chown(file, alice, aliceGroup))
			}
			_, err := p.do(request{Op: "create", Name: `Local\` + base, Size: 4096, File: file})
			succeed(t, "Alice creates "+base, err)
		}
		swap()
		u.expectNotLow(t, one, "renamed")
		swap()
		succeed(t, "Open of what is back", u.once(alice, request{Op: "open", Name: `Local\High`}))
		swap()
		one.kill()
		other.kill()
		u.expectFree(t, `Local\High`)
		u.expectFree(t, `Local\Low`)
	}
}

// expectNotLow expects that Alice does not come to another object by the name
// High.
func (u *users) expectNotLow(t *testing.T, holder *peer, how string) {
	t.Helper()
	fresh := u.peer(alice, aliceGroup)
	defer fresh.exit()
	for _, p := range []*peer{fresh, holder} {
		expectRefusal(t, "Open of what was "+how, p.open(`Local\High`, filemap.ReadWrite), "another name")
	}
	expectRefusal(t, "Create of what was "+how, fresh.create(`Local\High`, 4096, nil), "another name")
}

// expectFree expects that Alice can have a name, and its memory is her own.
func (u *users) expectFree(t *testing.T, name string) {
	t.Helper()
	p := u.peer(alice, aliceGroup)
	defer p.exit()
	expect(t, "Open of a free name", p.open(name, filemap.ReadWrite), fs.ErrNotExist)
	succeed(t, "Create of a free name", p.create(name, 4096, nil))
}

// TestSharedObjectIsLinkedToGlobalName: who may write an object may link it, but
// the name stays free of it.
func TestSharedObjectIsLinkedToGlobalName(t *testing.T) {
	u := startUsers(t)
	a, b := u.peer(alice, aliceGroup), u.peer(bob, bobGroup)
	succeed(t, "Alice creates", a.create(`Global\A`, 4096, everybody(object.ShareAll)))
	succeed(t, "Bob links", b.ask("link", u.path("filemap.g.A"), u.path("filemap.g.B")))
	c := u.peer(carol, aliceGroup)
	expectRefusal(t, "Open", c.open(`Global\B`, filemap.ReadWrite), "another name")
	expectRefusal(t, "Create", c.create(`Global\B`, 4096, nil), "another name")
	succeed(t, "Open of the true name", c.open(`Global\A`, filemap.ReadWrite))
}

// TestAliasIsLinked has Bob put another object where Alice's alias is to be.
func TestAliasIsLinked(t *testing.T) {
	u := startUsers(t)
	a, b := u.peer(alice, aliceGroup), u.peer(bob, bobGroup)
	succeed(t, "Alice shares", a.create(`Global\A`, 4096, everybody(object.ShareAll)))
	alias := u.localFile(alice, "X") + "%shm"
	succeed(t, "Bob links", b.ask("link", u.path("filemap.g.A"), alias))
	succeed(t, "Alice creates", a.create(`Local\X`, 4096, nil))
	expectRefusal(t, "Alias", a.ask("alias", `Local\X`, ""), "admits other users")
	succeed(t, "Remove", os.Remove(alias)) // it was left alone
	succeed(t, "Alias when the link is gone", a.ask("alias", `Local\X`, ""))
}

// TestOthersCannotWriteRecords: a record leads to any file of its owner's.
func TestOthersCannotWriteRecords(t *testing.T) {
	u := startUsers(t)
	a, b := u.peer(alice, aliceGroup), u.peer(bob, bobGroup)
	file := filepath.Join(publicDir(t), "file")
	succeed(t, "WriteFile", os.WriteFile(file, make([]byte, 4096), 0o666))
	succeed(t, "Chmod", errors.Join(os.Chmod(file, 0o666), os.Chown(file, alice, aliceGroup)))
	_, err := a.do(request{
		Op: "create", Name: `Global\X`, Size: 4096, File: file, Security: everybody(object.ShareAll),
	})
	succeed(t, "Alice creates", err)
	err = b.ask("open file to write", u.path("filemap.g.X"), "")
	expect(t, "Bob opens the record to write", err, fs.ErrPermission)
	succeed(t, "Bob opens the mapping to write", b.open(`Global\X`, filemap.ReadWrite))

	secret := filepath.Join(publicDir(t), "secret")
	succeed(t, "WriteFile", os.WriteFile(secret, []byte("Alice's secret"), 0o600))
	succeed(t, "Chown", os.Chown(secret, alice, aliceGroup))
	forged := plant(t, `Global\Forged`, record(t, secret, 14))
	succeed(t, "Chown", os.Chown(forged, alice, aliceGroup))
	// As an event of Alice's has it, to which Bob wrote.
	succeed(t, "Chmod", os.Chmod(forged, 0o766|os.ModeSticky))
	defer holdLock(t, "handle", forged, bob)()
	expectRefusal(t, "Alice opens what Bob wrote", a.open(`Global\Forged`, filemap.ReadOnly), "may have written")
	expectNone(t, "root opens what Bob wrote", `Global\Forged`, fs.ErrPermission)
}

// TestNoTakeOverByRecord: the record would belong to somebody else than its file.
func TestNoTakeOverByRecord(t *testing.T) {
	u := startUsers(t)
	u.leave(alice, `Global\X`, everybody(object.ShareAll))
	dir := publicDir(t)
	succeed(t, "Chmod", os.Chmod(dir, 0o777))
	b := u.peer(bob, bobGroup)
	file := filepath.Join(dir, "file")
	_, err := b.do(request{
		Op: "create", Name: `Global\X`, Size: 4096, File: file, Security: everybody(object.ShareAll),
	})
	expectRefusal(t, "Bob creates over Alice's", err, "a file of its own")
	if _, err := os.Stat(file); err == nil {
		t.Error("the file was made")
	}
}
