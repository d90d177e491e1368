package test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/object"
)

const faultSize = 64 << 10

// touches are all guarded ways to touch a view. Two of them cross a page, two
// are of words.
var touches = []func(v *filemap.View, off int64) error{
	func(v *filemap.View, off int64) error {
		_, err := v.ReadAt(make([]byte, 5000), min(off, faultSize-5000))
		return err
	},
	func(v *filemap.View, off int64) error {
		_, err := v.WriteAt(make([]byte, 5000), min(off, faultSize-5000))
		return err
	},
	func(v *filemap.View, off int64) error {
		_, err := filemap.Load[[3]uint16](v, off)
		return err
	},
	func(v *filemap.View, off int64) error { return filemap.Store(v, off, [3]uint16{1, 2, 3}) },
	touchWord32,
	touchWord64,
}

// faultyTouches are those that survive a fault. The race detector carries out
// atomic operations in C, where a fault can't be caught.
func faultyTouches() []func(*filemap.View, int64) error {
	if raceDetector() {
		return touches[:len(touches)-2]
	}
	return touches
}

var raceDetector = sync.OnceValue(func() bool {
	info, _ := debug.ReadBuildInfo()
	return slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
})

func touchWord32(v *filemap.View, off int64) error {
	w, err := v.Word32(off)
	if err != nil {
		return err
	}
	_, addErr := w.Add(1)
	_, swapErr := w.Swap(7)
	return errors.Join(w.Store(1), addErr, swapErr)
}

func touchWord64(v *filemap.View, off int64) error {
	w, err := v.Word64(off)
	if err != nil {
		return err
	}
	_, loadErr := w.Load()
	_, casErr := w.CompareAndSwap(0, 1)
	return errors.Join(loadErr, casErr)
}

// touchers are goroutines that touch views, under the eyes of the garbage
// collector, until they are told to stop.
type touchers struct {
	wait          sync.WaitGroup
	stop          atomic.Bool
	good, refused atomic.Int64
}

// startTouchers has four goroutines call touch, whose errors must be the one
// that is allowed.
func startTouchers(t *testing.T, allowed error, touch func() error) *touchers {
	w := &touchers{}
	for range 4 {
		w.wait.Go(func() {
			for !w.stop.Load() {
				switch err := touch(); {
				case err == nil:
					w.good.Add(1)
				case errors.Is(err, allowed):
					w.refused.Add(1)
				default:
					t.Error(err)
					w.stop.Store(true)
				}
			}
		})
	}
	w.wait.Go(func() {
		for !w.stop.Load() {
			runtime.GC()
		}
	})
	t.Cleanup(w.end)
	return w
}

func (w *touchers) end() {
	w.stop.Store(true)
	w.wait.Wait()
}

// TestTruncation has another process cut the file under views in use.
func TestTruncation(t *testing.T) {
	linuxOnly(t, "it does not let a mapped file be truncated")
	t.Run("memory", func(t *testing.T) {
		ns := filemaptest.New(t)
		m := created(t, ns.Name("Cut"), faultSize, nil)
		path, err := filemap.NativeName(m.Name())
		succeed(t, "NativeName", err)
		testTruncation(t, m, path)
	})
	t.Run("file", func(t *testing.T) {
		ns := filemaptest.New(t)
		path := fileOf(t, make([]byte, faultSize))
		testTruncation(t, created(t, ns.Name("Cut"), 0, &filemap.CreateOptions{File: path}), path)
	})
}

func testTruncation(t *testing.T, m *filemap.Mapping, path string) {
	v := viewed(t, m, 0, 0)
	times, cutter := effort(t, 5_000, 500_000), startPeer(t)
	touches := faultyTouches()
	w := startTouchers(t, object.ErrFault, func() error {
		return touches[rand.IntN(len(touches))](v, rand.Int64N(faultSize/8-1)*8)
	})
	_, err := cutter.do(request{Op: "truncate", Name: path, Size: faultSize, Times: times})
	succeed(t, "truncate", err)
	w.end()
	t.Logf("figures: truncation: %d truncations, %d faults made errors, %d good accesses",
		times, w.refused.Load(), w.good.Load())

	succeed(t, "Truncate", os.Truncate(path, 0))
	for i, touch := range touches {
		if err := touch(v, 0); !errors.Is(err, object.ErrFault) {
			t.Errorf("touch %d of what is gone: %v, want %v", i, err, object.ErrFault)
		}
	}
	succeed(t, "Truncate", os.Truncate(path, faultSize))
	for i, touch := range touches {
		if err := touch(v, 0); err != nil {
			t.Errorf("touch %d of what is back: %v", i, err)
		}
	}
}

// TestCloseUnderAccess closes views while goroutines touch them. The views are
// of two mappings in turn, each full of a byte of its own: an access that came
// to another view than its own, at the same addresses, would be found out.
func TestCloseUnderAccess(t *testing.T) {
	ns := filemaptest.New(t)
	mappings := []*filemap.Mapping{
		created(t, ns.Name("A"), faultSize, nil), created(t, ns.Name("B"), faultSize, nil),
	}
	for i, m := range mappings {
		succeed(t, "fill", full{viewed(t, m, 0, 0), byte('A' + i)}.write(faultSize))
	}
	var current atomic.Pointer[full]
	next := func(i int) *full {
		v, err := mappings[i%2].View(0, 0)
		succeed(t, "View", err)
		return current.Swap(&full{v, byte('A' + i%2)})
	}
	next(0)
	w := startTouchers(t, os.ErrClosed, func() error { return current.Load().touch() })
	times := effort(t, 3_000, 300_000)
	for i := range times {
		closed(t, next(i+1).View)
	}
	w.end()
	closed(t, current.Load().View)
	t.Logf("figures: close under access: %d views closed, %d accesses refused, %d good",
		times, w.refused.Load(), w.good.Load())
}

// full is a view of a mapping that holds one byte everywhere.
type full struct {
	*filemap.View
	of byte
}

func (f full) write(n int) error {
	_, err := f.WriteAt(bytes.Repeat([]byte{f.of}, n), 0)
	return err
}

func (f full) touch() error {
	switch n := rand.IntN(4); {
	case n == 0:
		return f.write(5000)
	case n == 1 && !raceDetector(): // see faultyTouches
		return f.touchWord()
	}
	p := make([]byte, 5000)
	if _, err := f.ReadAt(p, rand.Int64N(faultSize-5000)); err != nil {
		return err
	}
	if bytes.Count(p, []byte{f.of}) != len(p) {
		return fmt.Errorf("a view of %c shows %q", f.of, p[:10])
	}
	return nil
}

func (f full) touchWord() error {
	w, err := f.Word64(rand.Int64N(faultSize/8) * 8)
	if err != nil {
		return err
	}
	want := uint64(f.of) * 0x0101010101010101
	if same, err := w.CompareAndSwap(want, want); err != nil || !same {
		return fmt.Errorf("a view of %c holds another word, error %w", f.of, err)
	}
	return nil
}
