package test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/filemap-go/filemap/channel"
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
