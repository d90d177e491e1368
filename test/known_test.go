package test

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/waitable"
)

// To open a file can do harm before a byte of it is read: a terminal becomes a
// daemon's own and takes it along when it hangs up, the reader of a FIFO sees its
// end, a device starts. So nothing is opened before it is known.

// startLines starts a program and returns its first line, and a function that
// ends its input and returns the rest.
func startLines(t *testing.T, name string, arguments ...string) (first string, end func() string) {
	t.Helper()
	cmd := exec.Command(name, arguments...)
	stdin, err := cmd.StdinPipe()
	succeed(t, "StdinPipe", err)
	stdout, err := cmd.StdoutPipe()
	succeed(t, "StdoutPipe", err)
	cmd.Stderr = os.Stderr
	succeed(t, "Start", cmd.Start())
	output := bufio.NewReader(stdout)
	first, err = output.ReadString('\n')
	succeed(t, "ReadString", err)
	ended := false
	end = func() string {
		if ended {
			return ""
		}
		ended = true
		stdin.Close()
		rest, _ := io.ReadAll(output)
		_ = cmd.Wait()
		return strings.TrimSpace(string(rest))
	}
	t.Cleanup(func() { end() })
	return strings.TrimSpace(first), end
}

// expectUnopened returns a function that fails the test if one of the paths was
// opened since.
func expectUnopened(t *testing.T, paths ...string) (check func()) {
	t.Helper()
	arguments := append([]string{"foreign/python/watch.py"}, paths...)
	first, end := startLines(t, pythonPath(t), arguments...)
	if first != "watching" {
		t.Fatalf("the watcher says %q", first)
	}
	return func() {
		t.Helper()
		if opened := end(); opened != "" {
			t.Errorf("opened: %s", opened)
		}
	}
}

// daemon starts a peer that has a session of its own and no terminal.
func (u *users) daemon(uid int) *peer {
	u.t.Helper()
	if _, err := exec.LookPath("setsid"); err != nil {
		u.t.Skip("needs setsid")
	}
	id := strconv.Itoa(uid)
	return startPeerAs(u.t, inRole("peer", "setsid",
		"setpriv", "--reuid="+id, "--regid="+id, "--clear-groups", u.program))
}

// terminal returns the number of a process's terminal, or "0".
func terminal(t *testing.T, p *peer) string {
	t.Helper()
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/stat")
	succeed(t, "ReadFile", err)
	_, rest, _ := strings.Cut(string(stat), ") ")
	return strings.Fields(rest)[4]
}

// trap is what Bob has a record lead to, or puts in a name's place.
type trap struct {
	what string
	path string // in the record
	file string // that must not be opened
}

func layTraps(t *testing.T, dir string) []trap {
	t.Helper()
	tty, _ := startLines(t, pythonPath(t), "-c",
		"import os, pty, sys\n_, s = pty.openpty()\nprint(os.ttyname(s), flush=True)\nsys.stdin.read()")
	in := func(name string) string { return filepath.Join(dir, name) }
	mknod := func(arguments ...string) {
		if output, err := exec.Command("mknod", arguments...).CombinedOutput(); err != nil {
			t.Skipf("needs mknod: %s", output)
		}
	}
	mknod(in("fifo"), "p")
	mknod(in("device"), "c", "1", "3")
	succeed(t, "Mkdir", errors.Join(os.Mkdir(in("dir"), 0o777), os.Mkdir(in("private"), 0o755)))
	secret := in("private/secret")
	succeed(t, "WriteFile", os.WriteFile(secret, make([]byte, 4096), 0o600))
	succeed(t, "Symlink", errors.Join(os.Symlink("private", in("way")),
		os.Symlink("way/secret", in("link")), os.Symlink("link", in("chain"))))
	for _, path := range []string{tty, in("fifo"), in("device"), in("dir"), in("link"), in("chain")} {
		succeed(t, "Lchown", os.Lchown(path, bob, bobGroup))
	}
	succeed(t, "Chown", os.Chown(secret, alice, aliceGroup))
	return []trap{
		{"terminal", tty, tty},
		{"FIFO", in("fifo"), in("fifo")},
		{"device", in("device"), in("device")},
		{"directory", in("dir"), in("dir")},
		{"chain of links", in("chain"), secret},
		{"file of Alice's by a link", in("way/secret"), secret},
	}
}

// TestRecordLeadsToTrap has users open the mappings of Bob's records.
func TestRecordLeadsToTrap(t *testing.T) {
	u := startUsers(t)
	for _, one := range layTraps(t, publicDir(t)) {
		t.Run(one.what, func(t *testing.T) {
			page := record(t, one.path, 4096)
			if one.what == "chain of links" {
				page = record(t, one.file, 4096)
				page = changed(page, 0x118, uint64(len(one.path)), 2)
				page = append(append(page[:0x11A:0x11A], one.path...), page[0x11A+len(one.path):]...)
			}
			path := plant(t, `Global\X`, page)
			succeed(t, "Chmod", os.Chmod(path, 0o744|os.ModeSticky))
			succeed(t, "Chown", os.Chown(path, bob, bobGroup))
			defer os.Remove(path)
			defer holdLock(t, "handle", path, bob)()
			check := expectUnopened(t, one.file)
			u.expectNoHarm(t, `Global\X`)
			check()
		})
	}
}

// expectNoHarm has daemons open and create a mapping of a name.
func (u *users) expectNoHarm(t *testing.T, name string) {
	t.Helper()
	for _, uid := range victims {
		for _, access := range []filemap.Access{filemap.ReadOnly, filemap.ReadWrite} {
			d := u.daemon(uid)
			if err := d.open(name, access); err == nil {
				t.Errorf("user %d could open it", uid)
			}
			if err := d.create(name, 4096, nil); err == nil {
				t.Errorf("user %d could create it", uid)
			}
			if got := terminal(t, d); got != "0" {
				t.Errorf("user %d has got the terminal %s", uid, got)
			}
			d.exit()
		}
	}
}

// TestTrapInName has the traps themselves in an object's place.
func TestTrapInName(t *testing.T) {
	u := startUsers(t)
	for _, one := range layTraps(t, publicDir(t)) {
		if one.what == "terminal" || one.path != one.file {
			continue // these can't be moved here
		}
		path := u.path("filemap.g.X")
		succeed(t, "Rename", exec.Command("mv", one.path, path).Run())
		check := expectUnopened(t, path)
		u.expectNoHarm(t, `Global\X`)
		_, err := inspect.List(t.Context(), "")
		succeed(t, "List", err)
		_, err = inspect.Clean()
		succeed(t, "Clean", err)
		_, err = waitable.OpenMutex(`Global\X`)
		expect(t, "OpenMutex", err, fs.ErrPermission)
		check()
		succeed(t, "Remove", os.RemoveAll(path)) // it was left alone
	}
}

// TestReaderOfFIFO waits for a writer of a FIFO that others come across.
func TestReaderOfFIFO(t *testing.T) {
	u := startUsers(t)
	dir := publicDir(t)
	fifo := filepath.Join(dir, "fifo")
	succeed(t, "mkfifo", exec.Command("mkfifo", "-m", "600", fifo).Run())
	path := plant(t, `Global\X`, record(t, fifo, 4096))
	succeed(t, "Chmod", os.Chmod(path, 0o744|os.ModeSticky))
	succeed(t, "Chown", os.Chown(path, bob, bobGroup))
	defer holdLock(t, "handle", path, bob)()
	reader := exec.Command("cat", fifo)
	output, err := reader.StdoutPipe()
	succeed(t, "StdoutPipe", err)
	succeed(t, "Start", reader.Start())
	u.expectNoHarm(t, `Global\X`)
	writer, err := os.OpenFile(fifo, os.O_RDWR, 0) // does not wait for a reader
	succeed(t, "OpenFile", err)
	_, err = writer.WriteString("the writer's")
	succeed(t, "WriteString", errors.Join(err, writer.Close()))
	got, err := io.ReadAll(output)
	if err != nil || string(got) != "the writer's" {
		t.Errorf("the reader got %q, error %v", got, err)
	}
	_ = reader.Wait()
}
