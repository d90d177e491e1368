package test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/object"
)

// watchdog is how long a test waits for what must come.
const watchdog = time.Minute

// awaited is what Await returned in a goroutine.
type awaited struct {
	mapping *filemap.Mapping
	err     error
}

func startAwait(ctx context.Context, name string) <-chan awaited {
	result := make(chan awaited, 1)
	go func() {
		m, err := filemap.Await(ctx, name, nil)
		result <- awaited{m, err}
	}()
	return result
}

// take returns what a goroutine brings, or fails the test.
func take[T any](t *testing.T, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(watchdog):
		t.Fatalf("%s: nothing after %v", what, watchdog)
		panic("not reached")
	}
}

// TestAwaitPeer awaits a name that another process creates later, and later
// again after the object has died.
func TestAwaitPeer(t *testing.T) {
	ns := filemaptest.New(t)
	for _, base := range []string{"Later", `Global\Later`, strings.Repeat("long", 100)} {
		name := ns.Name(base)
		for range 3 {
			result := startAwait(t.Context(), name)
			p := startPeer(t)
			succeed(t, "Create in a peer", p.create(name, 5000, nil))
			got := take(t, "Await", result)
			succeed(t, "Await", got.err)
			succeed(t, "View in a peer", p.view(name))
			succeed(t, "Write in a peer", p.write(name, 0, "hello"))
			v := viewed(t, got.mapping, 0, 0)
			expectText(t, "what the peer wrote", v, 0, "hello")
			p.kill()
			closed(t, v, got.mapping)
		}
	}
}

func TestAwaitCancelled(t *testing.T) {
	ns := filemaptest.New(t)
	before := watches(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	result := startAwait(ctx, ns.Name("Never"))
	enough := errors.New("enough")
	cancel(enough)
	got := take(t, "Await", result)
	expect(t, "Await", got.err, enough)
	var asObject *object.Error
	if !errors.As(got.err, &asObject) || asObject.Op != "await" {
		t.Errorf("Await: error %#v, want an object.Error of await", got.err)
	}
	expectWatches(t, before)
}

// TestAwaitMany has 1,000 goroutines await ten names at once.
func TestAwaitMany(t *testing.T) {
	ns := filemaptest.New(t)
	before := watches(t)
	const goroutines, different = 1000, 10
	var ready, done sync.WaitGroup
	for i := range goroutines {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			m, err := filemap.Await(t.Context(), fmt.Sprint(ns.Name("Many"), i%different), nil)
			if err != nil {
				t.Error(err)
				return
			}
			if m.Size() < int64(1+i%different) {
				t.Errorf("%s has %d bytes", m.Name(), m.Size())
			}
			m.Close()
		})
	}
	ready.Wait()
	p := startPeer(t)
	for i := range different {
		succeed(t, "Create in a peer", p.create(fmt.Sprint(ns.Name("Many"), i), int64(1+i), nil))
	}
	all := make(chan struct{})
	go func() { done.Wait(); close(all) }()
	take(t, "Await", all)
	expectWatches(t, before)
}

// watches returns how many inotify watches this process has.
func watches(t *testing.T) int {
	t.Helper()
	return watchesOf(t, "self")
}

func watchesOf(t *testing.T, process string) int {
	t.Helper()
	if runtime.GOOS != "linux" {
		return 0
	}
	fds, err := filepath.Glob("/proc/" + process + "/fd/*")
	succeed(t, "Glob", err)
	n := 0
	for _, fd := range fds {
		if target, _ := os.Readlink(fd); strings.Contains(target, "inotify") {
			n++
		}
	}
	return n
}

// expectWatches waits until no watch is left of those that awaiting took.
func expectWatches(t *testing.T, want int) {
	t.Helper()
	for deadline := time.Now().Add(watchdog); watches(t) > want; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d inotify watches are left, %d were before", watches(t), want)
		}
	}
}

// TestAwaitBeforeTheEnd: a mapping that came before the wait's context ended is
// opened, however little before.
func TestAwaitBeforeTheEnd(t *testing.T) {
	name := filemaptest.New(t).Name("Late")
	for range 30 {
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error)
		go func() {
			m, err := filemap.Await(ctx, name, nil)
			if err == nil {
				err = m.Close()
			}
			result <- err
		}()
		time.Sleep(time.Millisecond)
		m, err := filemap.Create(name, 1, nil)
		cancel()
		succeed(t, "Create", err)
		succeed(t, "Await", <-result)
		closed(t, m)
	}
}

// TestAwaitCProgram awaits what a C program makes by shm_open, ftruncate, and a
// pause in between: never without its bytes.
func TestAwaitCProgram(t *testing.T) {
	tag, shm := sharedName(t), shmProgram(t)
	name := "/" + tag
	t.Cleanup(func() { _ = filemap.Unlink(name) }) // if the test fails
	for range effort(t, 60, 300) {
		result := startAwait(t.Context(), name)
		_, err := shm("slowly", name, "5000")
		succeed(t, "C creates", err)
		got := take(t, "Await", result)
		succeed(t, "Await", got.err)
		if got.mapping.Size() != 5000 {
			t.Fatalf("Await returns a mapping of %d bytes, want 5000", got.mapping.Size())
		}
		closed(t, got.mapping)
		succeed(t, "Unlink", filemap.Unlink(name))
	}
}

// TestMinSize opens and awaits a mapping that is too small, and is replaced.
func TestMinSize(t *testing.T) {
	name := filemaptest.New(t).Name("X")
	const enough = 128 << 10 // more than a page
	opts := &filemap.OpenOptions{MinSize: enough}
	small := created(t, name, 100, nil)
	_, err := filemap.Open(name, opts)
	expect(t, "Open", err, object.ErrRange)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprint(small.Size())) && runtime.GOOS == "linux" ||
		!strings.Contains(err.Error(), fmt.Sprint(enough)) {
		t.Errorf("%v: does not name the sizes", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err = filemap.Await(ctx, name, opts)
	expect(t, "Await until its end", err, context.DeadlineExceeded)
	expect(t, "Await until its end", err, object.ErrRange)

	result := make(chan awaited, 1)
	go func() {
		m, err := filemap.Await(t.Context(), name, opts)
		result <- awaited{m, err}
	}()
	time.Sleep(10 * time.Millisecond) // for it to wait, as far as that matters
	closed(t, small)
	var large *filemap.Mapping
	for { // until the look of Await at the small one has ended
		if large, err = filemap.Create(name, enough, nil); err == nil {
			break
		}
		expect(t, "Create", err, object.ErrExist)
	}
	got := take(t, "Await", result)
	succeed(t, "Await", got.err)
	closed(t, got.mapping, large)
}
