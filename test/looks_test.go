package test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// takeLocks is the role of a process that has as many locks of bytes as its
// argument says, on files of its own: of one file they would take long.
const takeLocks = `
import fcntl, os, struct, sys, tempfile
files = []
for i in range(int(sys.argv[1])):
    if i % 500 == 0:
        files.append(tempfile.TemporaryFile())
    lock = struct.pack("hhqqi4x", fcntl.F_RDLCK, os.SEEK_SET, 2 * i, 1, 0)
    fcntl.fcntl(files[-1], fcntl.F_OFD_SETLK, lock)
print("ready", flush=True)
sys.stdin.read()
`

// startLocks starts such a process.
func startLocks(t *testing.T, n int) {
	t.Helper()
	cmd := exec.Command(pythonPath(t), "-c", takeLocks, strconv.Itoa(n))
	stdin, err := cmd.StdinPipe()
	succeed(t, "StdinPipe", err)
	stdout, err := cmd.StdoutPipe()
	succeed(t, "StdoutPipe", err)
	succeed(t, "Start", cmd.Start())
	t.Cleanup(func() {
		stdin.Close()
		_ = cmd.Wait()
	})
	if _, err := stdout.Read(make([]byte, 10)); err != nil {
		t.Fatal("no locks:", err)
	}
}

// TestLooksAmongManyLocks does what looks for a name while another process has
// many locks on files of its own.
func TestLooksAmongManyLocks(t *testing.T) {
	linuxOnly(t, "its objects are not files")
	ns := filemaptest.New(t)
	const objects = 10
	for i := range objects {
		created(t, ns.Name(fmt.Sprint("m", i)), 1, nil)
	}
	q, err := channel.CreateQueue(ns.Name("q"), nil)
	succeed(t, "CreateQueue", err)
	defer q.Close()
	locks := effort(t, 2000, 50_000)
	startLocks(t, locks)
	ctx, cancel := deadline()
	defer cancel()
	timed := func(what string, do func() error) {
		start := time.Now()
		succeed(t, what, do())
		t.Logf("figures: %s among %d locks: %v", what, locks, time.Since(start))
	}
	timed("Any(Name)", func() error {
		_, err := waitable.Any(ctx, waitable.Name(ns.Name("m1")))
		return err
	})
	timed("Await", func() error {
		m, err := filemap.Await(ctx, ns.Name("m1"), nil)
		return errors.Join(err, m.Close())
	})
	timed("AwaitQueue", func() error {
		q, err := channel.AwaitQueue(ctx, ns.Name("q"), nil)
		return errors.Join(err, q.Close())
	})
	timed("Single", func() error {
		instance, err := waitable.Single(ns.Name("single"), nil)
		return errors.Join(err, instance.Close())
	})
	timed("List", func() error {
		found, err := inspect.List(ctx, "m*")
		if len(found) != objects {
			t.Errorf("List finds %d of %d objects", len(found), objects)
		}
		return err
	})
	ended, end := context.WithCancel(ctx)
	end()
	_, err = inspect.List(ended, "")
	expect(t, "List after its context", err, context.Canceled)
}

// TestLooksAmongManyConns looks for a name in a process that has many locks.
func TestLooksAmongManyConns(t *testing.T) {
	ns := filemaptest.New(t)
	l, err := channel.Listen(ns.Name("service"), nil)
	succeed(t, "Listen", err)
	defer l.Close()
	conns := effort(t, 50, 1000)
	err = inParallel(conns, 8, func(int) error {
		ctx, cancel := deadline()
		defer cancel()
		c, err := channel.Dial(ctx, l.Addr().String(), nil)
		if err != nil {
			return err
		}
		t.Cleanup(func() { c.Close() })
		accepted, err := l.Accept()
		if err == nil {
			t.Cleanup(func() { accepted.Close() })
		}
		return err
	})
	succeed(t, "Dial and Accept", err)
	ctx, cancel := deadline()
	defer cancel()
	const looks = 100
	start := time.Now()
	for range looks {
		_, err := waitable.Any(ctx, waitable.Name(l.Addr().String()))
		succeed(t, "Any", err)
	}
	t.Logf("figures: a look for a name beside %d connections: %v", conns, time.Since(start)/looks)
}

// TestUsersSeeWhatTheyMayNotOpen: an object that this user may not open is seen
// while it lives.
func TestUsersSeeWhatTheyMayNotOpen(t *testing.T) {
	u := startUsers(t)
	a, b := u.peer(alice, aliceGroup), u.peer(bob, bobGroup)
	const name = `Global\Private`
	_, err := b.do(request{Op: "find", Name: name})
	expect(t, "Bob finds nothing", err, fs.ErrNotExist)
	succeed(t, "Alice creates", a.create(name, 4096, nil))
	found := b.find(t, name)
	if want := strconv.Itoa(a.processID()); found.Kind != object.Kind(0).String() ||
		len(found.Holders) != 1 || strconv.Itoa(found.Holders[0].PID) != want {
		t.Errorf("Bob finds %+v, want an unknown kind, held by %s", found, want)
	}
	_, err = b.do(request{Op: "exists", Name: name})
	succeed(t, "Bob waits for the name", err)
	_, err = b.do(request{Op: "single", Name: name})
	if !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), "running") {
		t.Errorf("Single for Bob: %v", err)
	}
	a.kill()
	_, err = b.do(request{Op: "find", Name: name})
	expect(t, "Bob finds what is dead", err, fs.ErrNotExist)
}

// processID returns the peer's process: setpriv and sh have become it.
func (p *peer) processID() int { return p.cmd.Process.Pid }

// TestReaderKeepsDeadName has Bob, who may only read an object of Alice's, keep
// its name from coming back. That can't be prevented: the error names him.
func TestReaderKeepsDeadName(t *testing.T) {
	u := startUsers(t)
	const name = `Global\X`
	first := u.peer(alice, aliceGroup)
	succeed(t, "Alice creates", first.create(name, 4096, everybody(object.ShareRead)))
	first.kill()
	release := holdLock(t, "exclusive", u.path("filemap.g.X"), bob)
	again := u.peer(alice, aliceGroup)
	for what, err := range map[string]error{
		"create": again.create(name, 4096, nil), "open": again.open(name, filemap.ReadOnly),
	} {
		if !errors.Is(err, os.ErrDeadlineExceeded) ||
			!strings.Contains(err.Error(), fmt.Sprintf("of user %d (pid ", bob)) {
			t.Errorf("%s: %v, want a time-out that names Bob's process", what, err)
		}
	}
	release()
	release = holdLock(t, "handle", u.path("filemap.g.X"), bob)
	expect(t, "create", again.create(name, 4096, nil), fs.ErrExist)
	found := again.find(t, name)
	if len(found.Holders) != 1 || found.Holders[0].PID == first.processID() {
		t.Errorf("found %+v, want Bob's process as the holder", found)
	}
	release()
	succeed(t, "create at last", again.create(name, 4096, nil))
}
