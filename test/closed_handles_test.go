package test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// A closed handle leaves nothing in the system, whether or not the garbage
// collector has run since.

// countMaps returns how many memory maps this process has.
func countMaps(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/maps")
	succeed(t, "reading the maps", err)
	return bytes.Count(text, []byte("\n"))
}

// withoutCollector runs f, which opens things and closes them, without the
// garbage collector, and checks that it leaves no maps.
func withoutCollector(t *testing.T, what string, f func()) {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	before := countMaps(t)
	f()
	after := countMaps(t)
	const some = 300 // the heap grows
	if after > before+some {
		t.Errorf("%s: %d maps, %d before", what, after, before)
	}
	t.Logf("figures: %s: %d maps, %d before", what, after, before)
}

// timed calls f so many times, and logs how long the first tenth took, and the
// last.
func timed(t *testing.T, what string, times int, f func()) {
	t.Helper()
	var took [10]time.Duration
	for i := range took {
		start := time.Now()
		for range times / len(took) {
			f()
		}
		took[i] = time.Since(start) / time.Duration(times/len(took))
	}
	t.Logf("figures: %s, %d times: %v each in the first tenth, %v in the last",
		what, times, took[0], took[len(took)-1])
}

func TestClosedHandlesLeaveNothing(t *testing.T) {
	linuxOnly(t, "there the system itself keeps the objects")
	if !alone(t) {
		return
	}
	ns := filemaptest.New(t)
	withoutCollector(t, "create and close", func() {
		timed(t, "create and close", effort(t, 3_000, 200_000), func() {
			m, err := waitable.CreateMutex("", nil)
			succeed(t, "CreateMutex", err)
			closed(t, m)
		})
	})
	name := newMutex(t, ns, "kept").Name()
	path, err := filemap.NativeName(name)
	succeed(t, "NativeName", err)
	before := countLocks(t, path)
	withoutCollector(t, "open and close", func() {
		timed(t, "open and close", effort(t, 3_000, 100_000), func() {
			m, err := waitable.OpenMutex(name)
			succeed(t, "OpenMutex", err)
			closed(t, m)
		})
	})
	if after := countLocks(t, path); after != before || before == 0 {
		t.Errorf("%d locks of the file, %d before", after, before)
	}
}

// countLocks returns how many locks of a file this process has. The list of all locks of
// the machine leaves some out while others come and go.
func countLocks(t *testing.T, path string) (n int) {
	t.Helper()
	info, err := os.Stat(path)
	succeed(t, "Stat", err)
	inode := reflect.ValueOf(info.Sys()).Elem().FieldByName("Ino").Uint()
	files, err := filepath.Glob("/proc/self/fdinfo/*")
	succeed(t, "Glob", err)
	for _, file := range files {
		text, _ := os.ReadFile(file) // it may be closed
		n += strings.Count(string(text), fmt.Sprintf(":%d ", inode))
	}
	return n
}

// TestRefusedHandlesLeaveNothing opens a semaphore that has room for no handle
// more.
func TestRefusedHandlesLeaveNothing(t *testing.T) {
	linuxOnly(t, "there the system itself keeps the objects")
	ns := filemaptest.New(t)
	s, err := waitable.CreateSemaphore(ns.Name("full"), 1, 1, &waitable.SemaphoreOptions{Tracked: true})
	keepOpen(t, s, err)
	for err == nil {
		var more *waitable.Semaphore
		if more, err = waitable.OpenSemaphore(s.Name()); err == nil {
			keepOpen(t, more, err)
		}
	}
	expect(t, "OpenSemaphore", err, object.ErrNoSpace)
	withoutCollector(t, "500 refused handles", func() {
		for range 500 {
			_, err := waitable.OpenSemaphore(s.Name())
			expect(t, "OpenSemaphore", err, object.ErrNoSpace)
		}
	})
}

// TestCloseUnderOperations closes handles while goroutines use them. What they
// do succeeds or fails with os.ErrClosed, and nothing else.
func TestCloseUnderOperations(t *testing.T) {
	ns := filemaptest.New(t)
	use := map[string]func(t *testing.T) (closer interface{ Close() error }, use func(context.Context) error){
		"mutex": func(t *testing.T) (interface{ Close() error }, func(context.Context) error) {
			m, _, err := waitable.OpenOrCreateMutex(ns.Name("mutex"), nil)
			return keepOpen(t, m, err), func(ctx context.Context) error {
				hold, err := m.Lock(ctx)
				if err == nil {
					err = hold.Unlock()
				}
				return err
			}
		},
		"semaphore": func(t *testing.T) (interface{ Close() error }, func(context.Context) error) {
			s, _, err := waitable.OpenOrCreateSemaphore(ns.Name("semaphore"), 2, 1000, nil)
			return keepOpen(t, s, err), func(ctx context.Context) error {
				err := s.Acquire(ctx)
				if err == nil {
					_, err = s.Release(1)
				}
				return err
			}
		},
		"tracked": func(t *testing.T) (interface{ Close() error }, func(context.Context) error) {
			s, _, err := waitable.OpenOrCreateSemaphore(ns.Name("tracked"), 2, 1000,
				&waitable.SemaphoreOptions{Tracked: true})
			return keepOpen(t, s, err), func(ctx context.Context) error {
				err := s.Acquire(ctx)
				if err == nil {
					_, err = s.Release(1)
				}
				return err
			}
		},
		"event": func(t *testing.T) (interface{ Close() error }, func(context.Context) error) {
			e, _, err := waitable.OpenOrCreateEvent(ns.Name("event"), nil)
			return keepOpen(t, e, err), func(ctx context.Context) error {
				return errors.Join(e.Set(), e.Wait(ctx), e.Pulse(), e.Reset())
			}
		},
		"timer": func(t *testing.T) (interface{ Close() error }, func(context.Context) error) {
			o, _, err := waitable.OpenOrCreateTimer(ns.Name("timer"), nil)
			return keepOpen(t, o, err), func(ctx context.Context) error {
				return errors.Join(o.SetAfter(0, time.Microsecond), o.Wait(ctx), o.Cancel())
			}
		},
	}
	for name, open := range use {
		t.Run(name, func(t *testing.T) {
			if name == "tracked" {
				linuxOnly(t, "it does not know who took a semaphore's permits")
			}
			for range effort(t, 100, 5_000) {
				object, use := open(t)
				var users sync.WaitGroup
				for range 4 {
					users.Go(func() { useUntilClosed(t, use) })
				}
				time.Sleep(100 * time.Microsecond)
				closed(t, object)
				expectEnd(t, &users)
			}
		})
	}
}

func useUntilClosed(t *testing.T, use func(context.Context) error) {
	for {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		err := use(ctx)
		cancel()
		switch {
		case errors.Is(err, os.ErrClosed):
			return
		case err != nil && !errors.Is(err, context.DeadlineExceeded):
			t.Error(err)
			return
		}
	}
}
