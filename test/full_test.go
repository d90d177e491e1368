package test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/object"
)

const mib = 1 << 20

// smallSpace gives the test a file system of its own for its objects, and
// checks at the end that nothing is left there.
func smallSpace(t *testing.T, options string) (dir string) {
	t.Helper()
	linuxOnly(t, "its memory is not a file system")
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	dir, err := os.MkdirTemp("", "filemap-test-")
	succeed(t, "MkdirTemp", err)
	t.Cleanup(func() { os.Remove(dir) })
	mount := exec.Command("mount", "-t", "tmpfs", "-o", options, "tmpfs", dir)
	if output, err := mount.CombinedOutput(); err != nil {
		t.Skipf("needs mount: %v: %s", err, output)
	}
	t.Cleanup(func() {
		left, err := os.ReadDir(dir)
		for end := time.Now().Add(2 * time.Second); len(left) > 0 && time.Now().Before(end); left, err = os.ReadDir(dir) {
			time.Sleep(10 * time.Millisecond) // a session of connections ends by itself
		}
		if err != nil || len(left) > 0 {
			t.Errorf("left: %v, error %v", left, err)
		}
		if output, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, output)
		}
	})
	t.Setenv("FILEMAP_DIR", dir)
	return dir
}

// expectRoom checks that all of the space can be had: no page of it is lost.
func expectRoom(t *testing.T, after string, size int64) {
	t.Helper()
	m, err := filemap.Create("Room", size, nil)
	succeed(t, "Create after "+after, err)
	closed(t, m)
}

func TestNoSpace(t *testing.T) {
	dir := smallSpace(t, "size=4m")
	expectRoom(t, "nothing", 4*mib)
	_, err := filemap.Create("Large", 8*mib, nil)
	expect(t, "Create", err, object.ErrNoSpace)
	expectNone(t, "Open", "Large", object.ErrNotExist)
	expectRoom(t, "a mapping was too large", 4*mib)

	file := filepath.Join(dir, "backing")
	_, err = filemap.Create("File", 8*mib, &filemap.CreateOptions{File: file})
	expect(t, "Create with a file", err, object.ErrNoSpace)
	if _, err := os.Stat(file); err == nil {
		t.Error("the new file is left")
		succeed(t, "Remove", os.Remove(file))
	}
	expectRoom(t, "a file was too large", 4*mib)

	succeed(t, "WriteFile", os.WriteFile(file, []byte("old"), 0o600))
	_, err = filemap.Create("File", 8*mib, &filemap.CreateOptions{File: file})
	expect(t, "Create with a file that exists", err, object.ErrNoSpace)
	if data, err := os.ReadFile(file); err != nil || string(data) != "old" {
		t.Errorf("the old file has %d bytes now, error %v", len(data), err)
	}
	succeed(t, "Remove", os.Remove(file))
	expectRoom(t, "an old file was to be too large", 4*mib)
}

func TestSparseWithoutSpace(t *testing.T) {
	smallSpace(t, "size=4m")
	m := created(t, "Sparse", 8*mib, &filemap.CreateOptions{Sparse: true})
	_, err := m.ViewWith(0, 0, &filemap.ViewOptions{Prefault: true})
	expect(t, "View with Prefault", err, object.ErrNoSpace)

	v := viewed(t, m, 0, 0)
	expect(t, "WriteAt", fill(v), object.ErrFault)
	closed(t, v, m)
	expectRoom(t, "the sparse mapping was closed", 4*mib)
}

// fill writes to all of a view, until that fails.
func fill(v *filemap.View) error {
	for off := 0; off < v.Len(); off += mib {
		if _, err := v.WriteAt(make([]byte, mib), int64(off)); err != nil {
			return err
		}
	}
	return nil
}

// TestSpaceOfTheDead finds that there is no room, and room is what a killed
// process has left.
func TestSpaceOfTheDead(t *testing.T) {
	smallSpace(t, "size=4m")
	expectRoom(t, "nothing", 4*mib) // has the janitor make its first round
	p := startPeer(t)
	succeed(t, "Create in a peer", p.create("Dead", 3*mib, nil))
	p.kill()
	expectRoom(t, "a peer was killed", 4*mib)
}

func TestNoInodes(t *testing.T) {
	smallSpace(t, "size=4m,nr_inodes=10")
	var err error
	for i := 0; i < 20 && err == nil; i++ {
		var m *filemap.Mapping
		if m, err = filemap.Create(fmt.Sprint("Many", i), 1, nil); err == nil {
			defer m.Close()
		}
	}
	expect(t, "Create", err, object.ErrNoSpace)
}

// TestCreateCancelled gives up a mapping that takes several steps.
func TestCreateCancelled(t *testing.T) {
	smallSpace(t, "size=200m")
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	steps := 0
	_, err := filemap.Create("Huge", 192*mib, &filemap.CreateOptions{
		Context: ctx,
		Progress: func(reserved, total int64) {
			steps++
			cancel(enough)
			if reserved <= 0 || reserved >= total || total != 192*mib {
				t.Errorf("Progress(%d, %d)", reserved, total)
			}
		},
	})
	expect(t, "Create", err, enough)
	if steps != 1 {
		t.Errorf("%d steps, want 1", steps)
	}
	cleaned, err := inspect.Clean()
	if err != nil || cleaned != (inspect.Cleaned{}) {
		t.Errorf("Clean() = %v, %v, want nothing to clean", cleaned, err)
	}
	expectRoom(t, "a create was cancelled", 200*mib)
}

// TestMoreThanTheMachineHas asks for more than there is where the file system
// would allow it. It must be refused before the machine runs out of memory.
func TestMoreThanTheMachineHas(t *testing.T) {
	smallSpace(t, "size=1t")
	_, err := filemap.Create("Large", 1<<40-mib, nil)
	expect(t, "Create", err, object.ErrNoSpace)
	expectNone(t, "Open", "Large", object.ErrNotExist)
}
