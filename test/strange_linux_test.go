package test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/internal/race"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// without are the calls that old kernels, odd file systems, emulators and
// sandboxes refuse, with the errors that they give, and what then comes of it:
// everything works, or an error with a text.
var without = []struct {
	call   string
	denial denial // without its Errno
	errnos []syscall.Errno
	want   string
}{
	{"fallocate", denial{Call: unix.SYS_FALLOCATE}, refusals, ""},
	{"MADV_POPULATE_WRITE", argument(unix.SYS_MADVISE, 2, unix.MADV_POPULATE_WRITE),
		[]syscall.Errno{unix.EINVAL, unix.ENOSYS, unix.EPERM}, ""},
	{"MADV_POPULATE_READ", argument(unix.SYS_MADVISE, 2, unix.MADV_POPULATE_READ),
		[]syscall.Errno{unix.EINVAL, unix.ENOSYS, unix.EPERM}, ""},
	{"futex_waitv", denial{Call: unix.SYS_FUTEX_WAITV}, refusals, ""},
	{"inotify_init1", denial{Call: unix.SYS_INOTIFY_INIT1}, append(refusals, unix.EMFILE), ""},
	{"inotify_add_watch", denial{Call: unix.SYS_INOTIFY_ADD_WATCH}, append(refusals, unix.ENOSPC), ""},
	{"statfs", denial{Call: unix.SYS_STATFS}, refusals, ""},
	{"fsetxattr", denial{Call: unix.SYS_FSETXATTR}, refusals, ""},
	{"O_TMPFILE", denial{Call: unix.SYS_OPENAT, Arg: 2, Mask: unix.O_TMPFILE, Value: unix.O_TMPFILE},
		append(refusals, unix.EISDIR, unix.EINVAL), "needs O_TMPFILE (Linux 3.11)"},
	{"F_OFD_SETLK", argument(unix.SYS_FCNTL, 1, unix.F_OFD_SETLK), append(refusals, unix.EINVAL),
		"needs open file description locks of fcntl(2) (Linux 3.15)"},
	{"F_OFD_GETLK", argument(unix.SYS_FCNTL, 1, unix.F_OFD_GETLK), append(refusals, unix.EINVAL),
		"needs open file description locks of fcntl(2) (Linux 3.15)"},
	{"flock", denial{Call: unix.SYS_FLOCK}, refusals, "needs flock(2)"},
	{"linkat", denial{Call: unix.SYS_LINKAT}, refusals, "needs linkat(2)"},
}

// refusals are the errors of a call that is missing, or that a filter refuses.
var refusals = []syscall.Errno{unix.ENOSYS, unix.EPERM, unix.EOPNOTSUPP}

func argument(call uintptr, arg, value uint32) denial {
	return denial{Call: call, Arg: arg, Mask: ^uint32(0), Value: value}
}

func TestWithoutCalls(t *testing.T) {
	for _, one := range without {
		for _, errno := range one.errnos {
			t.Run(fmt.Sprintf("%s_%s", one.call, unix.ErrnoName(errno)), func(t *testing.T) {
				one.denial.Errno = errno
				if whereDenied(t, one.denial) {
					expectOnOddSystem(t, useAll(filemaptest.New(t)), one.want)
					removeFiles(t) // without a test of locks, no process knows what is dead
				}
			})
		}
	}
}

// expectOnOddSystem checks what came of using filemap where something is missing.
func expectOnOddSystem(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" {
		succeed(t, "using it", err)
	} else if err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("error %v, want errors.ErrUnsupported with the text %q", err, want)
	}
}

// useAll uses what has to do with odd calls, and returns the first error.
func useAll(ns *filemaptest.Namespace) error {
	return errors.Join(useMapping(ns), useEvent(ns), useAwait(ns))
}

func useMapping(ns *filemaptest.Namespace) error {
	m, err := filemap.Create(ns.Name(`Global\Mapping`), 100_003, nil)
	if err != nil {
		return err
	}
	defer m.Close()
	for _, access := range []filemap.Access{filemap.ReadWrite, filemap.CopyOnWrite, filemap.ReadOnly} {
		v, err := m.ViewWith(5, 0, &filemap.ViewOptions{Prefault: true, Access: &access})
		if err != nil {
			return err
		}
		defer v.Close()
		if _, err := v.ReadAt(make([]byte, v.Len()), 0); err != nil {
			return err
		}
	}
	return nil
}

// removeFiles removes what is left in the namespace's directory.
func removeFiles(t *testing.T) {
	t.Helper()
	left, err := filepath.Glob(os.Getenv("FILEMAP_DIR") + "/*")
	succeed(t, "Glob", err)
	for _, path := range left {
		succeed(t, "Remove", os.Remove(path))
	}
}

func useEvent(ns *filemaptest.Namespace) error {
	ctx, cancel := deadline()
	defer cancel()
	var events [2]*waitable.Event
	for i := range events {
		e, err := waitable.CreateEvent(ns.Name(fmt.Sprint("Event", i)), nil)
		if err != nil {
			return err
		}
		defer e.Close()
		events[i] = e
	}
	set := make(chan error, 1)
	go func() { set <- events[1].Set() }()
	_, err := waitable.Any(ctx, events[0], events[1])
	return errors.Join(err, <-set)
}

func useAwait(ns *filemaptest.Namespace) error {
	ctx, cancel := deadline()
	defer cancel()
	name := ns.Name("Awaited")
	awaited := make(chan error, 2)
	go func() {
		m, err := filemap.Await(ctx, name, nil)
		if err == nil {
			err = m.Close()
		} else {
			cancel() // the other wait then need not last
		}
		awaited <- err
	}()
	go func() {
		_, err := waitable.Any(ctx, waitable.Name(name))
		awaited <- err
	}()
	m, err := filemap.Create(name, 1, nil)
	if err != nil {
		cancel()
		return errors.Join(err, <-awaited, <-awaited)
	}
	return errors.Join(<-awaited, <-awaited, m.Close())
}

// TestNoSpaceWithoutCalls has too little space where the calls that reserve it
// are missing: it must be told when the mapping, or the view, is made.
func TestNoSpaceWithoutCalls(t *testing.T) {
	if race.Enabled {
		t.Skip("not for the race detector: its atomic operations can't be left by a fault")
	}
	if !whereDenied(t, denial{Call: unix.SYS_FALLOCATE, Errno: unix.EOPNOTSUPP},
		denial{Call: unix.SYS_MADVISE, Errno: unix.EINVAL}) {
		return
	}
	smallSpace(t, "size=4m")
	_, err := filemap.Create("Large", 8*mib, nil)
	expect(t, "Create", err, object.ErrNoSpace)
	m := created(t, "Sparse", 8*mib, &filemap.CreateOptions{Sparse: true})
	_, err = m.ViewWith(0, 0, &filemap.ViewOptions{Prefault: true})
	expect(t, "View with Prefault", err, object.ErrNoSpace)
	closed(t, m)
	expectRoom(t, "there was too little", 4*mib)
}

// TestNoSharedMemory has no /dev/shm. Local names are then in a directory of this
// user's own; Global and POSIX names would meet nobody, and are refused.
func TestNoSharedMemory(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	if os.Getenv("FILEMAP_TEST_NO_SHM") == "" {
		script := `mount -t tmpfs tmpfs /dev && exec "$0" -test.run='^TestNoSharedMemory$'`
		cmd := exec.Command("unshare", "-m", "sh", "-c", script, thisBinary(t))
		cmd.Env = append(os.Environ(), "FILEMAP_TEST_NO_SHM=1", "FILEMAP_DIR=", "XDG_RUNTIME_DIR="+t.TempDir())
		output, err := cmd.CombinedOutput()
		t.Logf("without /dev/shm: %s", output)
		succeed(t, "the test without /dev/shm", err)
		return
	}
	m := created(t, "X", 1, nil)
	succeed(t, "Check", m.Check())
	for _, name := range []string{`Global\X`, "/X"} {
		_, err := filemap.Create(name, 1, nil)
		expectOnOddSystem(t, err, "/dev/shm is not there")
		_, err = filemap.Open(name, nil)
		expectOnOddSystem(t, err, "/dev/shm is not there")
		_, err = inspect.Find(t.Context(), name)
		expectOnOddSystem(t, err, "/dev/shm is not there")
	}
	t.Setenv("FILEMAP_DIR", os.Getenv("XDG_RUNTIME_DIR"))
	closed(t, created(t, `Global\X`, 1, nil), m)
}

// TestUnreadableDirectory has errors name the directory.
func TestUnreadableDirectory(t *testing.T) {
	u := startUsers(t)
	succeed(t, "Chmod", os.Chmod(u.dir, 0o700))
	b := u.peer(bob, bobGroup)
	expectRefusal(t, "Create", b.create("X", 1, nil), "may not search the directory "+u.dir)
	expectRefusal(t, "Open", b.open("X", filemap.ReadOnly), "may not search the directory "+u.dir)
	_, err := b.do(request{Op: "find", Name: "X"})
	expectRefusal(t, "Find", err, "may not search the directory "+u.dir)
	succeed(t, "Chmod", os.Chmod(u.dir, 0o711))
	_, err = b.do(request{Op: "list"})
	expectRefusal(t, "List", err, u.dir)
}

// TestUnwritableDirectory has an error name the directory.
func TestUnwritableDirectory(t *testing.T) {
	dir := smallSpace(t, "size=1m,ro")
	_, err := filemap.Create("X", 1, nil)
	if !errors.Is(err, os.ErrPermission) || !strings.Contains(fmt.Sprint(err), dir) {
		t.Errorf("Create in a read-only directory: %v", err)
	}
}
