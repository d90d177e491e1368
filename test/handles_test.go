package test

import (
	"context"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/waitable"
)

// TestManyHandles opens one object many times in a process. What the system must
// keep for that does not grow with the handles: descriptors, maps, and the locks
// of the file, each of which it would compare with all others.
func TestManyHandles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("not for windows: the system has no such costs")
	}
	ns := filemaptest.New(t)
	mutexName, mapName := ns.Name("mutex"), ns.Name("map")
	open := []func() (io.Closer, error){
		func() (io.Closer, error) { m, _, err := waitable.OpenOrCreateMutex(mutexName, nil); return m, err },
		func() (io.Closer, error) { m, _, err := filemap.OpenOrCreate(mapName, 4096, nil); return m, err },
	}
	const handles = 5000
	for _, open := range open {
		var all []io.Closer
		openOne := func() {
			h, err := open()
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, h)
		}
		openOne()
		openOne() // opened, not created
		before := kernelState(t)
		start := time.Now()
		for range handles {
			openOne()
		}
		took := time.Since(start)
		if after := kernelState(t); after.files > before.files || after.locks > before.locks ||
			after.maps > before.maps+handles/5 { // the heap grows, too
			t.Errorf("%d handles: %+v, before %+v", handles, after, before)
		}
		for _, h := range all {
			if err := h.Close(); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("figures: %d handles to one object opened in %v", handles, took.Round(time.Millisecond))
	}
}

// kernelCosts is what the system keeps for this process.
type kernelCosts struct{ files, maps, locks int }

func kernelState(t *testing.T) (c kernelCosts) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	c.files = len(entries)
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	c.maps = strings.Count(string(maps), "\n")
	for _, entry := range entries {
		info, _ := os.ReadFile("/proc/self/fdinfo/" + entry.Name()) // it may be the directory's own
		c.locks += strings.Count(string(info), "lock:")
	}
	return c
}

// TestHandlesComeAndGo opens, locks and closes one name from many goroutines:
// handles share what the process has of the object, and the last one of a moment
// gives it up while another goroutine opens it.
func TestHandlesComeAndGo(t *testing.T) {
	name := filemaptest.New(t).Name("mutex")
	inside := 0
	keep, _, err := waitable.OpenOrCreateMutex(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 200 {
				if worker == 0 && i == 100 {
					if err := keep.Close(); err != nil { // from now on the object dies often
						t.Error(err)
					}
				}
				comeAndGo(t, name, &inside)
			}
		})
	}
	all.Wait()
}

func comeAndGo(t *testing.T, name string, inside *int) {
	m, _, err := waitable.OpenOrCreateMutex(name, nil)
	if err != nil {
		t.Error(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	hold, err := m.Lock(ctx)
	if err != nil {
		t.Error(err)
	} else {
		if *inside++; *inside != 1 {
			t.Errorf("%d have the lock", *inside)
		}
		*inside--
		if err := hold.Unlock(); err != nil {
			t.Error(err)
		}
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}
