package test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/object"
)

// TestPeerUsers has another user dial, and each side tell which user and process
// the other one is.
func TestPeerUsers(t *testing.T) {
	u := startUsers(t)
	l, err := channel.Listen(`Global\Service`, &channel.ListenOptions{Security: everybody(object.ShareAll)})
	succeed(t, "Listen", err)
	defer l.Close()
	a := u.peer(alice, aliceGroup)
	reply, err := a.do(request{Op: "dial", Name: `Global\Service`})
	succeed(t, "Dial", err)
	c, err := l.AcceptConn(t.Context())
	succeed(t, "Accept", err)
	defer c.Close()

	client, err := c.Peer()
	succeed(t, "Peer", err)
	if client.UID != alice || client.PID != a.cmd.Process.Pid || !client.Verified || client.Program != u.program {
		t.Errorf("the dialer is %+v, want process %d of user %d in %s", client, a.cmd.Process.Pid, alice, u.program)
	}
	var server channel.Peer // Alice may not look into root's process
	succeed(t, "Unmarshal", json.Unmarshal(reply, &server))
	if server.UID != 0 || server.PID != os.Getpid() || !server.Verified {
		t.Errorf("the listener is %+v, want process %d of user 0", server, os.Getpid())
	}
}

// TestUserTakesBlocksName has a user whom a Listener does not admit create what a dialer
// is about to create: the dialer does not use it, and goes on with another name.
func TestUserTakesBlocksName(t *testing.T) {
	u := startUsers(t)
	const service = `Global\Service`
	l, err := channel.Listen(service, &channel.ListenOptions{Capacity: 4096})
	succeed(t, "Listen", err)
	defer l.Close()
	a := u.peer(alice, aliceGroup)
	if _, err := a.do(request{Op: "dial", Name: service}); err == nil {
		t.Fatal("the Listener admits Alice")
	}
	dial := func() error {
		c, err := channel.Dial(t.Context(), service, nil)
		if err == nil {
			t.Cleanup(func() { _ = c.Close() })
		}
		return err
	}
	succeed(t, "Dial", dial())
	objects, err := inspect.List(t.Context(), service+"~s*~b1")
	succeed(t, "List", err)
	if len(objects) != 1 {
		t.Fatalf("the first block is %v", objects)
	}
	_, err = a.do(request{Op: "create queue", Name: strings.TrimSuffix(objects[0].Name, "1") + "2"})
	succeed(t, "create what the second block is called", err)
	for range 7 {
		succeed(t, "Dial", dial())
	}
	if err := dial(); !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Dial with a block of Alice's: %v", err)
	}
	succeed(t, "Dial", dial())
}
