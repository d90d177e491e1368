package mem

import (
	"errors"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// countingBacking counts how often the bytes are given up.
type countingBacking struct{ detached atomic.Int32 }

func (b *countingBacking) Detach([]byte) error {
	b.detached.Add(1)
	return nil
}
func (*countingBacking) Release([]byte)     {}
func (*countingBacking) Flush([]byte) error { return nil }

func countedRegion() (*Region, *countingBacking) {
	backing := new(countingBacking)
	return NewRegion(Spec{Mapped: alignedBytes(64), Backing: backing, Counted: true}), backing
}

// TestCloseInsideAccess closes a region in an access to it, and in one to another.
func TestCloseInsideAccess(t *testing.T) {
	r, backing := countedRegion()
	err := r.Guard(func() error {
		return r.Guard(func() error {
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			if err := r.Close(); err != os.ErrClosed {
				t.Errorf("the second Close: %v", err)
			}
			if err := r.ReadAt(make([]byte, 1), 0); err != os.ErrClosed {
				t.Errorf("ReadAt: %v", err)
			}
			if n := backing.detached.Load(); n != 0 {
				t.Errorf("the bytes were given up %d times during the access", n)
			}
			return errors.ErrUnsupported
		})
	})
	if n := backing.detached.Load(); err != errors.ErrUnsupported || n != 1 {
		t.Errorf("Guard: %v; the bytes were given up %d times after it", err, n)
	}
	other, _ := countedRegion()
	if r, backing = countedRegion(); other.Guard(r.Close) != nil || backing.detached.Load() != 1 {
		t.Errorf("closed in an access to another region, it was given up %d times", backing.detached.Load())
	}
}

// TestCloseAwaitsAccess closes a region during an access of another goroutine, which
// tries to close it too, and asks for its bytes, before it ends.
func TestCloseAwaitsAccess(t *testing.T) {
	r, backing := countedRegion()
	var begun, all sync.WaitGroup
	var ending atomic.Bool
	begun.Add(1)
	all.Go(func() {
		_ = r.Guard(func() error {
			begun.Done()
			for r.Err() == nil {
				runtime.Gosched()
			}
			if err := r.Close(); err != os.ErrClosed {
				t.Errorf("the second Close: %v", err)
			}
			if _, err := r.Bytes(); err != os.ErrClosed {
				t.Errorf("Bytes: %v", err)
			}
			ending.Store(true)
			return nil
		})
	})
	begun.Wait()
	if err := r.Close(); err != nil || !ending.Load() || backing.detached.Load() != 1 {
		t.Errorf("Close: %v; the access was about to end: %v; the bytes were given up %d times",
			err, ending.Load(), backing.detached.Load())
	}
	all.Wait()
}

// TestCloseDuringAccesses has accesses begin, end, and be refused, while the region is
// closed. The bytes are given up once, and never during an access.
func TestCloseDuringAccesses(t *testing.T) {
	for range 2000 {
		r, backing := countedRegion()
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				for range 10 {
					_ = r.Guard(func() error {
						if backing.detached.Load() > 0 {
							t.Error("the bytes were given up during an access")
						}
						return nil
					})
				}
			})
		}
		all.Go(func() {
			if err := r.Close(); err != nil || backing.detached.Load() != 1 {
				t.Errorf("Close: %v; the bytes were given up %d times", err, backing.detached.Load())
			}
		})
		all.Wait()
	}
}
