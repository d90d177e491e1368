package kernel

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/filemap-go/filemap/internal/sys"
)

// TestFindLock looks for a lock while many others come and go.
func TestFindLock(t *testing.T) {
	dir := t.TempDir()
	locked := func(name string) *os.File {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := sys.TryFlock(int(f.Fd()), false); !ok || err != nil {
			t.Fatal(ok, err)
		}
		return f
	}
	wanted := locked("wanted")
	defer wanted.Close()
	stat, err := sys.Fstat(int(wanted.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	var ended atomic.Bool
	var churn sync.WaitGroup
	for i := range 4 {
		churn.Go(func() {
			for !ended.Load() {
				var files []*os.File
				for k := range 50 {
					files = append(files, locked(fmt.Sprint(i, "-", k)))
				}
				for _, f := range files {
					f.Close()
				}
			}
		})
	}
	const looks, most = 1000, 5 // one reading of the list misses some 30
	missed := 0
	for range looks {
		found, err := findLock(t.Context(), func(l fileLock) bool {
			return l.file.Ino == stat.Ino && l.pid == os.Getpid()
		})
		if err != nil {
			t.Fatal(err)
		}
		if !found {
			missed++
		}
	}
	ended.Store(true)
	churn.Wait()
	if missed > most {
		t.Errorf("%d of %d looks have not found a lock that is there", missed, looks)
	}
}
