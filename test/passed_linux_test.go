package test

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/handle"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// TestHostileDescriptors makes objects of descriptors that are none of an object.
func TestHostileDescriptors(t *testing.T) {
	filemaptest.New(t)
	dir := t.TempDir()
	open := func(path string, flags int) *os.File {
		f, err := os.OpenFile(path, flags, 0o600)
		succeed(t, "OpenFile", err)
		t.Cleanup(func() { f.Close() })
		return f
	}
	reader, writer, err := os.Pipe()
	succeed(t, "Pipe", err)
	defer reader.Close()
	defer writer.Close()
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "socket")})
	succeed(t, "ListenUnix", err)
	defer listener.Close()
	socket, err := listener.File()
	succeed(t, "File", err)
	defer socket.Close()
	succeed(t, "WriteFile", os.WriteFile(filepath.Join(dir, "full"), make([]byte, 4096), 0o600))
	controlMode := filepath.Join(dir, "control")
	succeed(t, "WriteFile", os.WriteFile(controlMode, []byte("short"), 0o700))
	succeed(t, "Chmod", os.Chmod(controlMode, 0o700|os.ModeSticky))
	noise := filepath.Join(dir, "noise")
	succeed(t, "WriteFile", os.WriteFile(noise, make([]byte, 4096), 0o700))
	succeed(t, "Chmod", os.Chmod(noise, 0o700|os.ModeSticky))

	for _, one := range []struct {
		what           string
		file           *os.File
		mapping, event error
	}{
		{"a pipe", reader, object.ErrWrongKind, object.ErrWrongKind},
		{"a terminal", open("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY), object.ErrWrongKind, object.ErrWrongKind},
		{"a device", open("/dev/zero", os.O_RDWR), object.ErrWrongKind, object.ErrWrongKind},
		{"a socket", socket, object.ErrWrongKind, object.ErrWrongKind},
		{"a directory", open(dir, os.O_RDONLY), object.ErrWrongKind, object.ErrWrongKind},
		{"an empty file", open(filepath.Join(dir, "empty"), os.O_RDWR|os.O_CREATE), fs.ErrInvalid, object.ErrWrongKind},
		{"a file that is open for reading", open(filepath.Join(dir, "full"), os.O_RDONLY), fs.ErrPermission, object.ErrWrongKind},
		{"a file that is open for writing", open(filepath.Join(dir, "full"), os.O_WRONLY), fs.ErrPermission, object.ErrWrongKind},
		{"a path", open(filepath.Join(dir, "full"), oPath), fs.ErrPermission, object.ErrWrongKind},
		{"a control page that is too short", open(controlMode, os.O_RDWR), object.ErrCorrupt, object.ErrCorrupt},
		{"a control page of zeros", open(noise, os.O_RDWR), object.ErrCorrupt, object.ErrCorrupt},
	} {
		_, err := filemap.FromFile(one.file, nil)
		t.Log(err)
		expect(t, "FromFile of "+one.what, err, one.mapping)
		_, err = waitable.EventFromFile(one.file)
		t.Log(err)
		expect(t, "EventFromFile of "+one.what, err, one.event)
	}
}

const oPath = 0x200000

// TestDescriptorOfDeadObject has a descriptor without a handle's locks, which any
// program can open and pass on, outlive its object.
func TestDescriptorOfDeadObject(t *testing.T) {
	name := filemaptest.New(t).Name("X")
	event, err := waitable.CreateEvent(name, nil)
	succeed(t, "CreateEvent", err)
	path, err := filemap.NativeName(name)
	succeed(t, "NativeName", err)
	plain, err := os.OpenFile(path, os.O_RDWR, 0)
	succeed(t, "OpenFile", err)
	defer plain.Close()

	alive, err := waitable.EventFromFile(plain)
	succeed(t, "EventFromFile of a live object's file", err)
	succeed(t, "Close", errors.Join(event.Close(), alive.Set(), alive.Close()))
	_, err = waitable.OpenEvent(name)
	expect(t, "OpenEvent after the last handle", err, fs.ErrNotExist)
}

// TestSharedDescription: two receivers that have to share one description, since
// they may not open the file, are told.
func TestSharedDescription(t *testing.T) {
	u := startUsers(t)
	mutex, err := waitable.CreateMutex("", nil)
	succeed(t, "CreateMutex", err)
	defer mutex.Close()
	f, err := mutex.File()
	succeed(t, "File", err)
	defer f.Close()
	for i, want := range []error{nil, fs.ErrPermission} {
		conn, p := u.connected(bob, bobGroup)
		succeed(t, "Send", handle.Send(conn, f))
		_, err := p.do(request{Op: "receive mutex", Name: "m"})
		if want == nil {
			succeed(t, "the first receiver", err)
		} else {
			expect(t, "another receiver", err, want)
		}
		_ = i
	}
}

// connected starts a peer of a user, and connects to it.
func (u *users) connected(uid, gid int) (*net.UnixConn, *peer) {
	u.t.Helper()
	p := u.peer(uid, gid)
	path := filepath.Join(publicDir(u.t), "socket")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	succeed(u.t, "ListenUnix", errors.Join(err, os.Chmod(path, 0o777)))
	defer listener.Close()
	_, err = p.do(request{Op: "connect", Name: path})
	succeed(u.t, "connect", err)
	conn, err := listener.AcceptUnix()
	succeed(u.t, "AcceptUnix", err)
	u.t.Cleanup(func() { conn.Close() })
	return conn, p
}

// TestPassToStranger passes unnamed objects over a socket to a program of another
// user that is no relative, and kills it.
func TestPassToStranger(t *testing.T) {
	u := startUsers(t)
	conn, p := u.connected(bob, bobGroup)
	mutex, err := waitable.CreateMutex("", nil)
	succeed(t, "CreateMutex", err)
	defer mutex.Close()
	m := created(t, "", 4096, nil)
	v := viewed(t, m, 0, 0)

	f, err := mutex.File()
	succeed(t, "File", err)
	succeed(t, "Send", errors.Join(handle.Send(conn, f), f.Close()))
	_, err = p.do(request{Op: "receive mutex", Name: "m"})
	succeed(t, "receive", err)
	f, err = m.File(filemap.ReadWrite)
	succeed(t, "File", err)
	succeed(t, "Send", errors.Join(handle.Send(conn, f), f.Close()))
	_, err = p.do(request{Op: "receive mapping", Name: "b"})
	succeed(t, "receive", err)
	succeed(t, "view", p.view("b"))
	succeed(t, "write", p.write("b", 0, "from Bob"))
	text := make([]byte, 8)
	_, err = v.ReadAt(text, 0)
	succeed(t, "ReadAt", err)
	if string(text) != "from Bob" {
		t.Errorf("reads %q", text)
	}
	state, err := p.do(request{Op: "lock kept", Name: "m"})
	succeed(t, "lock", err)
	t.Logf("Bob locks: %s", state)
	if _, locked, err := mutex.TryLock(); locked || err != nil {
		t.Errorf("TryLock of what Bob has locked: %v, %v", locked, err)
	}
	p.kill()
	ctx, cancel := deadline()
	defer cancel()
	hold, err := mutex.Lock(ctx)
	succeed(t, "Lock", err)
	if !hold.Abandoned() {
		t.Error("not told of Bob's death")
	}
	succeed(t, "Unlock", hold.Unlock())
}

// TestStrangerTruncates has a receiver of another user truncate what it was given.
func TestStrangerTruncates(t *testing.T) {
	u := startUsers(t)
	conn, p := u.connected(bob, bobGroup)
	event, err := waitable.CreateEvent("", nil)
	succeed(t, "CreateEvent", err)
	defer event.Close()
	f, err := event.File()
	succeed(t, "File", err)
	defer f.Close()
	succeed(t, "Send", handle.Send(conn, f))
	_, err = p.do(request{Op: "truncate received"})
	succeed(t, "truncate", err)
	expect(t, "Set of what Bob truncated", event.Set(), object.ErrFault)
	_, err = waitable.EventFromFile(f)
	expect(t, "EventFromFile of what Bob truncated", err, object.ErrCorrupt)
}

// TestHostileMessages sends what Receive does not expect.
func TestHostileMessages(t *testing.T) {
	before := openDescriptors(t)
	for _, one := range []struct {
		what string
		send func(*net.UnixConn) error
		want error
	}{
		{"nothing", func(c *net.UnixConn) error { return c.CloseWrite() }, io.EOF},
		{"a byte without a file", func(c *net.UnixConn) error {
			_, err := c.Write([]byte{0})
			return err
		}, fs.ErrInvalid},
		{"two files", func(c *net.UnixConn) error {
			_, _, err := c.WriteMsgUnix([]byte{0}, syscall.UnixRights(0, 1), nil)
			return err
		}, fs.ErrInvalid},
		{"200 files", func(c *net.UnixConn) error {
			_, _, err := c.WriteMsgUnix([]byte{0}, syscall.UnixRights(make([]int, 200)...), nil)
			return err
		}, fs.ErrInvalid},
	} {
		here, there := socketPair(t)
		succeed(t, "send", one.send(there))
		_, err := handle.Receive(here)
		expect(t, "Receive of "+one.what, err, one.want)
		t.Log(err)
		here.Close()
		there.Close()
	}
	if after := openDescriptors(t); after != before {
		t.Errorf("%d descriptors are open, %d were before", after, before)
	}
}

func openDescriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	succeed(t, "ReadDir", err)
	return len(all)
}

func socketPair(t *testing.T) (a, b *net.UnixConn) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	succeed(t, "Socketpair", err)
	return connOf(t, fds[0]), connOf(t, fds[1])
}

func connOf(t *testing.T, fd int) *net.UnixConn {
	t.Helper()
	f := os.NewFile(uintptr(fd), "socket")
	defer f.Close()
	conn, err := net.FileConn(f)
	succeed(t, "FileConn", err)
	return conn.(*net.UnixConn)
}

// TestMappingOfFileWithoutPath makes mappings of a file that was removed.
func TestMappingOfFileWithoutPath(t *testing.T) {
	name := filemaptest.New(t).Name("X")
	file, err := os.CreateTemp(t.TempDir(), "")
	succeed(t, "CreateTemp", err)
	defer file.Close()
	succeed(t, "Remove", os.Remove(file.Name()))

	_, err = filemap.Create(name, 4096, &filemap.CreateOptions{OpenFile: file})
	expect(t, "Create with a name", err, fs.ErrInvalid)
	m := created(t, "", 4096, &filemap.CreateOptions{OpenFile: file})
	_, err = viewed(t, m, 0, 0).WriteAt([]byte("text"), 0)
	succeed(t, "WriteAt", err)
	_, err = m.File(filemap.ReadWrite)
	expect(t, "File", err, errors.ErrUnsupported)
	other, err := filemap.FromFile(file, nil)
	succeed(t, "FromFile of the file itself", err)
	defer other.Close()
	text := make([]byte, 4)
	_, err = viewed(t, other, 0, 0).ReadAt(text, 0)
	succeed(t, "ReadAt", err)
	if string(text) != "text" {
		t.Errorf("reads %q", text)
	}
}
