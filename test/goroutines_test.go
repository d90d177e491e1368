package test

import (
	"sync"
	"testing"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
)

// TestHandleOfManyGoroutines uses one handle from several goroutines: the race
// detector has the last word.
func TestHandleOfManyGoroutines(t *testing.T) {
	ns := filemaptest.New(t)
	for _, name := range []string{ns.Name("Shared"), ns.Name(`Global\Shared`)} {
		m := created(t, name, 4096, nil)
		var goroutines sync.WaitGroup
		for range 4 {
			goroutines.Go(func() {
				for range effort(t, 100, 10_000) {
					useHandle(t, m)
				}
			})
		}
		goroutines.Wait()
		closed(t, m)
	}
}

func useHandle(t *testing.T, m *filemap.Mapping) {
	if _, err := m.Alias(); err != nil {
		t.Error(err)
	}
	if err := m.Check(); err != nil {
		t.Error(err)
	}
	v, err := m.View(0, m.Size())
	if err != nil {
		t.Error(err)
		return
	}
	if _, err := v.WriteAt([]byte(m.Name()), 0); err != nil {
		t.Error(err)
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
}
