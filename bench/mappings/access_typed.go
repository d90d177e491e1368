package mappings

import (
	"sync/atomic"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/bench/measure"
)

// record is a value such as programs share.
type record struct {
	Sequence, Time uint64
	Values         [6]float64
}

// sink keeps the compiler from dropping what is read.
var sink struct {
	word   uint64
	record record
}

// values compares guarded values with values through a raw pointer.
func (f field) values() (measure.Contest, error) {
	c := measure.Contest{Name: "values", Title: "one value of a view, guarded and raw"}
	number, err := filemap.At[uint64](f.view, accessOffset)
	if err != nil {
		return c, err
	}
	whole, err := filemap.At[record](f.view, accessOffset)
	if err != nil {
		return c, err
	}
	c.Pair("Load[uint64]", func(n int) (err error) {
		for range n {
			if sink.word, err = filemap.Load[uint64](f.view, accessOffset); err != nil {
				return err
			}
		}
		return nil
	}, "raw load", func(n int) error {
		for range n {
			sink.word = *number
		}
		return nil
	}, measure.Goal{Measure: measure.Extra})
	c.Pair("Store[uint64]", func(n int) (err error) {
		for i := range n {
			if err = filemap.Store(f.view, accessOffset, uint64(i)); err != nil {
				return err
			}
		}
		return nil
	}, "raw store", func(n int) error {
		for i := range n {
			*number = uint64(i)
		}
		return nil
	}, measure.Goal{Measure: measure.Extra})
	c.Pair("Load[64 B struct]", func(n int) (err error) {
		for range n {
			if sink.record, err = filemap.Load[record](f.view, accessOffset); err != nil {
				return err
			}
		}
		return nil
	}, "raw copy of it", func(n int) error {
		for range n {
			sink.record = *whole
		}
		return nil
	}, measure.Goal{Measure: measure.Extra})
	return c, nil
}

// words compares guarded atomic words with sync/atomic on the raw ones.
func (f field) words() (measure.Contest, error) {
	c := measure.Contest{Name: "words", Title: "an atomic word of a view, guarded and raw"}
	word, err := f.view.Word64(accessOffset)
	if err != nil {
		return c, err
	}
	raw, err := filemap.At[atomic.Uint64](f.view, accessOffset)
	if err != nil {
		return c, err
	}
	c.Pair("Word.Load", func(n int) (err error) {
		for range n {
			if sink.word, err = word.Load(); err != nil {
				return err
			}
		}
		return nil
	}, "atomic Load", func(n int) error {
		for range n {
			sink.word = raw.Load()
		}
		return nil
	}, measure.Goal{Measure: measure.Extra})
	c.Pair("Word.Store", func(n int) (err error) {
		for i := range n {
			if err = word.Store(uint64(i)); err != nil {
				return err
			}
		}
		return nil
	}, "atomic Store", func(n int) error {
		for i := range n {
			raw.Store(uint64(i))
		}
		return nil
	}, measure.Goal{Measure: measure.Extra})
	c.Pair("Word.Add", func(n int) (err error) {
		for range n {
			if _, err = word.Add(1); err != nil {
				return err
			}
		}
		return nil
	}, "atomic Add", func(n int) error {
		for range n {
			raw.Add(1)
		}
		return nil
	}, measure.Goal{Measure: measure.Extra})
	c.Pair("Word.CompareAndSwap", func(n int) (err error) {
		for range n {
			if _, err = word.CompareAndSwap(sink.word, sink.word); err != nil {
				return err
			}
		}
		return nil
	}, "atomic CompareAndSwap", func(n int) error {
		for range n {
			raw.CompareAndSwap(sink.word, sink.word)
		}
		return nil
	}, measure.Goal{Measure: measure.Extra})
	return c, nil
}
