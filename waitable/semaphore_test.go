package waitable_test

import (
	"errors"
	"io/fs"
	"math"
	"runtime"
	"testing"

	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

func TestSemaphoreCounts(t *testing.T) {
	name := filemaptest.New(t).Name("s")
	s, other := semaphore(t, name, 2, 5), semaphore(t, name, 0, 1)
	expectPermits(t, other, 2)
	previous, err := s.Release(3)
	if previous != 0 || err != nil {
		t.Errorf("Release: %d, %v", previous, err)
	}
	previous, err = other.Release(2)
	if previous != 3 || err != nil {
		t.Errorf("Release: %d, %v", previous, err)
	}
	_, err = s.Release(1)
	expect(t, "Release over the maximum", err, object.ErrLimit)
	expectPermits(t, s, 5)
}

func TestSemaphoreSpecs(t *testing.T) {
	name := filemaptest.New(t).Name("s")
	for _, bad := range [][2]int{{0, 0}, {2, 1}, {-1, 1}, {0, -1}, {0, math.MaxInt}} {
		_, err := waitable.CreateSemaphore(name, bad[0], bad[1], nil)
		expect(t, "CreateSemaphore", err, fs.ErrInvalid)
	}
	s := semaphore(t, name, 0, math.MaxInt32)
	for _, n := range []int{0, -1} {
		_, err := s.Release(n)
		expect(t, "Release", err, fs.ErrInvalid)
	}
	_, err := s.Release(math.MaxInt32)
	succeed(t, "Release", err)
	_, err = s.Release(1)
	expect(t, "Release over the maximum", err, object.ErrLimit)
}

// TestSemaphoreHandsOver has as many waits end as permits come.
func TestSemaphoreHandsOver(t *testing.T) {
	name := filemaptest.New(t).Name("s")
	s := semaphore(t, name, 0, 10)
	results := make(chan error, 5)
	for range cap(results) {
		go func() { results <- s.Acquire(patient(t)) }()
	}
	p := startPeer(t)
	p.do("semaphore", name, 0)
	for _, n := range []int{1, 3, 1} {
		p.do("release", name, n)
		for range n {
			succeed(t, "Acquire", receive(t, "Acquire", results))
		}
	}
	expectTaken(t, "TryAcquire", s.TryAcquire, false)
}

// TestDeadHolderKeepsPermits is what Windows does.
func TestDeadHolderKeepsPermits(t *testing.T) {
	name := filemaptest.New(t).Name("s")
	s := semaphore(t, name, 3, 3)
	p := startPeer(t)
	p.do("semaphore", name, 0)
	p.do("acquire", name, 2)
	p.kill()
	expectPermits(t, s, 1)
}

func TestTrackedSemaphore(t *testing.T) {
	name := filemaptest.New(t).Name("s")
	s, err := waitable.CreateSemaphore(name, 3, 3, &waitable.SemaphoreOptions{Tracked: true})
	if runtime.GOOS == "windows" {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("CreateSemaphore: %v", err)
		}
		return
	}
	closeLater(t, s, err)
	p := startPeer(t)
	p.do("semaphore", name, 0)
	p.do("acquire", name, 2)
	expectTaken(t, "TryAcquire", s.TryAcquire, true)
	expectTaken(t, "TryAcquire", s.TryAcquire, false)
	p.kill()
	for range 2 {
		succeed(t, "Acquire of what the dead held", s.Acquire(patient(t)))
	}
	expectTaken(t, "TryAcquire", s.TryAcquire, false)
}
