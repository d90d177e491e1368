package filemap_test

import (
	"errors"
	"io/fs"
	"runtime"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/internal/kernel"
	"github.com/filemap-go/filemap/waitable"
)

// TestDroppedHandles drops handles without closing them: the objects go, and
// filemaptest would tell.
func TestDroppedHandles(t *testing.T) {
	ns := filemaptest.New(t)
	mapping, mutex := ns.Name("map"), ns.Name("mutex")
	func() {
		if _, err := filemap.Create(mapping, 4096, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := waitable.CreateMutex(mutex, nil); err != nil {
			t.Fatal(err)
		}
	}()
	collect(t, func() bool {
		_, mapErr := filemap.Open(mapping, nil)
		_, mutexErr := waitable.OpenMutex(mutex)
		return errors.Is(mapErr, fs.ErrNotExist) && errors.Is(mutexErr, fs.ErrNotExist)
	})
	told := make(map[string]bool)
	collect(t, func() bool {
		for _, name := range kernel.TakeDropped(func(string) bool { return true }) {
			told[name] = true
		}
		return told[`Local\`+mapping] && told[`Local\`+mutex]
	})
}

// collect runs the garbage collector until something has happened.
func collect(t *testing.T, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !happened(); runtime.GC() {
		if time.Now().After(deadline) {
			t.Fatal("the garbage collector has not closed the handles")
		}
		time.Sleep(time.Millisecond)
	}
}

// TestViewKeepsHandle drops a mapping's handle, of which there is a view.
func TestViewKeepsHandle(t *testing.T) {
	name := filemaptest.New(t).Name("map")
	m, err := filemap.Create(name, 4096, nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := m.View(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	again, err := filemap.Open(name, nil)
	if err != nil {
		t.Fatalf("the handle of a mapping was closed although a view is in use: %v", err)
	}
	if err := errors.Join(again.Close(), v.Close()); err != nil {
		t.Error(err)
	}
	collect(t, func() bool {
		return len(kernel.TakeDropped(func(dropped string) bool { return dropped == `Local\`+name })) > 0
	})
}
