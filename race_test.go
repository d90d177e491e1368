package filemap_test

import (
	"runtime"
	"testing"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
)

// TestWordsOrder is for the race detector: it must see that words order what
// goroutines do, even by two views of their memory.
func TestWordsOrder(t *testing.T) {
	m, err := filemap.Create(filemaptest.New(t).Name("Words"), 0x2000, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var views [2]*filemap.View
	for i := range views {
		if views[i], err = m.View(0, 0); err != nil {
			t.Fatal(err)
		}
		defer views[i].Close()
	}
	t.Run("64 bits", func(t *testing.T) { wordsOrder(t, views, (*filemap.View).Word64) })
	t.Run("32 bits", func(t *testing.T) { wordsOrder(t, views, (*filemap.View).Word32) })
}

func wordsOrder[T uint32 | uint64](
	t *testing.T, views [2]*filemap.View, at func(*filemap.View, int64) (filemap.Word[T], error),
) {
	var words [2]filemap.Word[T]
	for i, v := range views {
		word, err := at(v, 0x1008)
		if err != nil {
			t.Fatal(err)
		}
		if err := word.Store(0); err != nil {
			t.Fatal(err)
		}
		words[i] = word
	}
	ways := map[string]func() error{
		"Store": func() error { return words[0].Store(1) },
		"Add":   func() error { _, err := words[0].Add(1); return err },
		"Swap":  func() error { _, err := words[0].Swap(1); return err },
		"CompareAndSwap": func() error {
			_, err := words[0].CompareAndSwap(0, 1)
			return err
		},
	}
	for name, set := range ways {
		cell, ended := 0, make(chan error)
		go func() {
			cell = 1
			ended <- set()
		}()
		for value := T(0); value == 0; runtime.Gosched() {
			var err error
			if value, err = words[1].Load(); err != nil {
				t.Fatal(err)
			}
		}
		if cell != 1 {
			t.Errorf("%s: the cell is %d", name, cell)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := words[1].Store(0); err != nil {
			t.Fatal(err)
		}
	}
}
