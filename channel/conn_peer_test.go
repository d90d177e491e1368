package channel_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

func init() {
	roles["stay"] = func(name string) error {
		c, err := channel.Dial(background, name, &channel.DialOptions{Wait: true})
		if err != nil {
			return err
		}
		say("dialed")
		_, err = c.Read(make([]byte, 1))
		return err
	}
}

// ownUID is this process's user as a Peer tells it.
func ownUID() int { return os.Geteuid() } // -1 on Windows

// tellsOwners reports whether the system tells which process owns a mutex. Wine
// does not, so it verifies no peer.
func tellsOwners(t *testing.T) bool {
	t.Helper()
	if runtime.GOOS != "windows" {
		return true
	}
	mutex, err := waitable.CreateMutex(filemaptest.New(t).Name("owned"), nil)
	succeed(t, "CreateMutex", err)
	defer mutex.Close()
	_, err = mutex.Lock(background)
	succeed(t, "Lock", err)
	o, err := inspect.Find(background, mutex.Name())
	succeed(t, "Find", err)
	return o.State.Owner != 0
}

// expectPeer checks what one side knows of the other.
func expectPeer(t *testing.T, c *channel.Conn, pid int, verified bool) {
	t.Helper()
	verified = verified && tellsOwners(t)
	p, err := c.Peer()
	succeed(t, "Peer", err)
	if p.PID != pid || p.Verified != verified || p.UID != ownUID() {
		t.Errorf("the peer is %+v, want process %d of user %d, verified: %v", p, pid, ownUID(), verified)
	}
	self, err := os.Executable()
	succeed(t, "Executable", err)
	program := ""
	if verified {
		program = filepath.Base(self)
	}
	if !strings.HasSuffix(p.Program, program) || !verified && p.Program != "" {
		t.Errorf("the peer's program is %q, want %q", p.Program, program)
	}
}

// TestPeer asks for the other side in this process, and in another one: while it
// has the connection, and after its death.
func TestPeer(t *testing.T) {
	watchdog(t)
	a, b := pair(t)
	expectPeer(t, a, os.Getpid(), true)
	expectPeer(t, b, os.Getpid(), true)
	succeed(t, "Close", a.Close())
	expectPeer(t, b, os.Getpid(), false)
	if _, err := a.Peer(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Peer after Close: %v", err)
	}

	l := listener(t, filemaptest.New(t).Name("service"), nil)
	other := start(t, "stay", l.Addr().String())
	other.await(t, "dialed")
	c, err := l.AcceptConn(background)
	succeed(t, "Accept", err)
	defer c.Close()
	expectPeer(t, c, other.cmd.Process.Pid, true)
	other.kill()
	expectPeer(t, c, other.cmd.Process.Pid, false)
}

// TestPeerOfDialer asks which process has accepted, or is going to.
func TestPeerOfDialer(t *testing.T) {
	watchdog(t)
	name := filemaptest.New(t).Name("service")
	other := start(t, "deaf", name)
	other.await(t, "ready")
	for range 2 { // the second is never accepted
		c := dial(t, name)
		expectPeer(t, c, other.cmd.Process.Pid, true)
	}
}

// TestPeerLies has a dialer say that it is another process: one that has nothing to
// do with the connection, and the listening one, which has all its objects open.
func TestPeerLies(t *testing.T) {
	watchdog(t)
	for _, lie := range []int{os.Getppid(), os.Getpid()} {
		l, _ := crowded(t) // so the next connection is not taken yet
		liar := start(t, "stay", l.Addr().String())
		for !claim(t, l.Addr().String(), liar.cmd.Process.Pid, lie) {
			time.Sleep(time.Millisecond)
		}
		honest, err := l.AcceptConn(background)
		succeed(t, "Accept", err)
		defer honest.Close()
		expectPeer(t, honest, os.Getpid(), true)
		c, err := l.AcceptConn(background)
		succeed(t, "Accept", err)
		defer c.Close()
		expectPeer(t, c, lie, false)
	}
}

// claim makes the dialer of a session one that says it is another process, and reports
// whether it has found it.
func claim(t *testing.T, service string, pid, lie int) (found bool) {
	t.Helper()
	objects, err := inspect.List(background, service+"~s*")
	succeed(t, "List", err)
	for _, o := range objects {
		if o.Kind != object.Mapping.String() || strings.Contains(o.Name, "~b") {
			continue
		}
		const processAt = 1024 // of the first place
		v := newScribbler(t, o.Name).v
		process, err := filemap.At[atomic.Uint64](v, processAt)
		succeed(t, "At", err)
		if process.CompareAndSwap(uint64(pid), uint64(lie)) {
			return true
		}
	}
	return false
}

// TestRemoteAddr tells the connections of one process apart, in errors too.
func TestRemoteAddr(t *testing.T) {
	watchdog(t)
	l := listener(t, filemaptest.New(t).Name("service"), nil)
	seen := make(map[string]bool)
	for range 3 {
		dialed, accepted := connect(t, l)
		for _, address := range []net.Addr{dialed.LocalAddr(), dialed.RemoteAddr(), accepted.LocalAddr()} {
			if address != l.Addr() {
				t.Errorf("an address is %v, want the listener's, %v", address, l.Addr())
			}
		}
		remote := accepted.RemoteAddr().String()
		id, ok := strings.CutPrefix(remote, l.Addr().String()+"#")
		if !ok || id == "" || seen[remote] {
			t.Errorf("RemoteAddr %v, and there are %v", remote, seen)
		}
		seen[remote] = true
		succeed(t, "Close", accepted.Close())
		if _, err := accepted.Write([]byte("x")); err == nil || !strings.Contains(err.Error(), remote) {
			t.Errorf("Write: %v, want it to name %s", err, remote)
		}
	}
}
