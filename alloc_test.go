package filemap_test

import (
	"testing"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
)

func TestAccessDoesNotAllocate(t *testing.T) {
	m, err := filemap.Create(filemaptest.New(t).Name("m"), 4096, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	v, err := m.View(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	word, err := v.Word64(64)
	if err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 100)
	hot := map[string]func() error{
		"ReadAt":  func() error { _, err := v.ReadAt(buffer, 8); return err },
		"WriteAt": func() error { _, err := v.WriteAt(buffer, 8); return err },
		"Load":    func() error { _, err := filemap.Load[uint64](v, 16); return err },
		"Store":   func() error { return filemap.Store(v, 16, uint64(1)) },
		"Word":    func() error { _, err := word.Add(1); return err },
		"Word64":  func() error { _, err := v.Word64(64); return err },
		"At":      func() error { _, err := filemap.At[uint64](v, 64); return err },
	}
	for name, do := range hot {
		allocs := testing.AllocsPerRun(1000, func() {
			if err := do(); err != nil {
				t.Error(err)
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}
