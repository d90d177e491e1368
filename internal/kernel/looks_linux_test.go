package kernel

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/filemap-go/filemap/internal/objmgr"
	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// countingHost counts what a look at objects costs.
type countingHost struct {
	host
	opens, names, holders, shared int
}

func (h *countingHost) Open(name string, check objmgr.Check) (objmgr.FD, objmgr.Stat, error) {
	h.opens++
	return h.host.Open(name, check)
}

func (h *countingHost) Names(part int64, prefixes ...string) ([]string, int64, error) {
	h.names++
	return h.host.Names(part, prefixes...)
}

func (h *countingHost) Holders(ctx context.Context, inodes map[uint64][]int) error {
	h.holders++
	return h.host.Holders(ctx, inodes)
}

func (h *countingHost) Shared(ctx context.Context, inode uint64) (bool, error) {
	h.shared++
	return h.host.Shared(ctx, inode)
}

func newCountingHost(dir string) *countingHost {
	return &countingHost{host: host{dir: dir + "/", uid: uint32(sys.Geteuid())}}
}

var testName = object.Name{Scope: object.Global, Base: "Looked at"}

func createEventIn(t *testing.T, h objmgr.Host) *objmgr.Sync {
	t.Helper()
	event, err := objmgr.New(h).CreateSync(objmgr.SyncSpec{
		Name: testName, Kind: object.Event, Mode: 0o600,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { event.Close() })
	return event
}

// TestExistsCostsOneOpen: a wait for a name looks at the one file, whatever
// there is on the machine.
func TestExistsCostsOneOpen(t *testing.T) {
	h := newCountingHost(t.TempDir())
	event := createEventIn(t, h.host)
	m := objmgr.New(h)
	for _, want := range []bool{true, false} {
		h.opens = 0
		if got, err := m.Exists(t.Context(), testName); err != nil || got != want {
			t.Errorf("Exists() = %v, %v, want %v", got, err, want)
		}
		if h.opens != 1 || h.names+h.holders+h.shared > 0 {
			t.Errorf("Exists costs %+v, want one open", h)
		}
		event.Close()
	}
}

// TestJunkCostsLittle: a directory full of files with names like those of
// objects does not make the first use of a process slow.
func TestJunkCostsLittle(t *testing.T) {
	const junk, enough = 3000, 1500
	h := newCountingHost(t.TempDir())
	for i := range junk {
		name := fmt.Sprintf("%sfilemap.g.junk%d", h.dir, i)
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	createEventIn(t, h)
	if h.opens > enough || h.names > 1 {
		t.Errorf("the first create opens %d files and reads the directory %d times", h.opens, h.names)
	}
	seen := make(map[string]bool)
	for part, parts := int64(0), 0; ; parts++ {
		names, next, err := h.Names(part, "filemap.g.")
		if err != nil || parts > junk {
			t.Fatal(parts, err)
		}
		for _, name := range names {
			seen[name] = true
		}
		if part = next; next == 0 {
			break
		}
	}
	if len(seen) < junk/2 { // a round of cleaning may have removed some
		t.Errorf("all parts have %d names, want about %d", len(seen), junk)
	}
}

// TestHoldersWherever: where stat(2) and the lists of locks name a file's device
// differently, its holders are found all the same, and that it lives.
func TestHoldersWherever(t *testing.T) {
	for kind, mount := range map[string]func(t *testing.T) string{
		"here": (*testing.T).TempDir, "overlayfs": mountOverlay, "btrfs": mountBtrfs,
	} {
		t.Run(kind, func(t *testing.T) {
			h := newCountingHost(mount(t))
			event := createEventIn(t, h.host)
			info, err := objmgr.New(h).Find(t.Context(), testName)
			if err != nil || !slices.Equal(info.Holders, []int{os.Getpid()}) {
				t.Errorf("Find() = %+v, %v, want this process as the holder", info, err)
			}
			stat, err := h.StatName(info.File)
			if err != nil {
				t.Fatal(err)
			}
			if shared, err := h.Shared(t.Context(), stat.Ino); err != nil || !shared {
				t.Errorf("Shared() = %v, %v while a handle is open", shared, err)
			}
			by := h.Locker(objmgr.FileID{Ino: stat.Ino}, objmgr.WholeFile)
			if by.PID != os.Getpid() {
				t.Errorf("Locker() = %+v while a handle is open", by)
			}
			event.Close()
			if shared, err := h.Shared(t.Context(), stat.Ino); err != nil || shared {
				t.Errorf("Shared() = %v, %v after the last handle", shared, err)
			}
		})
	}
}

// mountOverlay mounts an overlay whose layers are of two file systems.
func mountOverlay(t *testing.T) string {
	dir := mountAt(t, "overlayfs", "-t", "tmpfs", "none")
	top := filepath.Join(dir, "top")
	for _, sub := range []string{"upper", "work", "top"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	mount(t, "overlayfs", top, "-t", "overlay", "overlay", "-o",
		"lowerdir=/etc,upperdir="+dir+"/upper,workdir="+dir+"/work")
	return top
}

func mountBtrfs(t *testing.T) string {
	image := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 128<<20); err != nil {
		t.Fatal(err)
	}
	if output, err := exec.Command("mkfs.btrfs", "-q", image).CombinedOutput(); err != nil {
		t.Skipf("not for this machine: it has no mkfs.btrfs: %v %s", err, output)
	}
	return mountAt(t, "btrfs", "-o", "loop", image)
}

func mountAt(t *testing.T, what string, arguments ...string) string {
	dir := t.TempDir()
	mount(t, what, dir, arguments...)
	return dir
}

func mount(t *testing.T, what, dir string, arguments ...string) {
	t.Helper()
	output, err := exec.Command("mount", append(arguments, dir)...).CombinedOutput()
	if err != nil {
		t.Skipf("not for this machine: it cannot mount %s: %v %s", what, err, output)
	}
	t.Cleanup(func() { exec.Command("umount", "-l", dir).Run() })
}
