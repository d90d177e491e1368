package filemap_test

import (
	"errors"
	"os"
	"testing"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
)

// TestClosedView does with closed views what may be done with open ones, and what
// may not: that they are closed comes first.
func TestClosedView(t *testing.T) {
	m, err := filemap.Create(filemaptest.New(t).Name("Closed"), 4096, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for _, access := range []filemap.Access{filemap.ReadWrite, filemap.ReadOnly} {
		v, err := m.ViewWith(0, 0, &filemap.ViewOptions{Access: &access})
		if err != nil {
			t.Fatal(err)
		}
		word, err := v.Word64(0)
		if err = errors.Join(err, v.Close()); err != nil {
			t.Fatal(err)
		}
		for _, off := range []int64{0, 4090, 4096, 5000, -1} {
			for what, use := range usesOfView(v, word, off) {
				if err := use(); !errors.Is(err, os.ErrClosed) {
					t.Errorf("%s at %d of a closed %v view: %v", what, off, access, err)
				}
			}
		}
	}
}

func usesOfView(v *filemap.View, word filemap.Word[uint64], off int64) map[string]func() error {
	return map[string]func() error{
		"ReadAt":         func() error { _, err := v.ReadAt(make([]byte, 8), off); return err },
		"ReadAt nothing": func() error { _, err := v.ReadAt(nil, off); return err },
		"WriteAt":        func() error { _, err := v.WriteAt(make([]byte, 8), off); return err },
		"Writer":         func() error { _, err := v.Writer(max(off, 0)).Write([]byte("x")); return err },
		"Load":           func() error { _, err := filemap.Load[uint64](v, off); return err },
		"Store":          func() error { return filemap.Store(v, off, uint64(1)) },
		"At":             func() error { _, err := filemap.At[uint64](v, off); return err },
		"SliceAt":        func() error { _, err := filemap.SliceAt[uint64](v, off, 10_000); return err },
		"Word32":         func() error { _, err := v.Word32(off); return err },
		"Word64":         func() error { _, err := v.Word64(off); return err },
		"Word.Load":      func() error { _, err := word.Load(); return err },
		"Word.Add":       func() error { _, err := word.Add(1); return err },
		"Word.Store":     func() error { return word.Store(1) },
		"Bytes":          func() error { _, err := v.Bytes(); return err },
		"Flush":          v.Flush,
		"Guard":          func() error { return v.Guard(func() error { return nil }) },
		"Close":          v.Close,
	}
}

// TestCloseInsideGuard closes a view in a function that Guard calls. Close does not
// wait for that, and what comes later finds the view closed.
func TestCloseInsideGuard(t *testing.T) {
	m, err := filemap.Create(filemaptest.New(t).Name("Inside"), 4096, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	v, err := m.View(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	err = v.Guard(func() error {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
		_, err := v.WriteAt([]byte("x"), 0)
		return err
	})
	if !errors.Is(err, os.ErrClosed) {
		t.Errorf("a write after Close: %v", err)
	}
	if err := v.Guard(func() error { return nil }); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Guard after Close: %v", err)
	}
	if err := v.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the second Close: %v", err)
	}
}
