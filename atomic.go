package filemap

import "github.com/filemap-go/filemap/internal/mem"

// Word is a word of a view. Its operations are atomic among all processes. They
// are those of sync/atomic, but they are checked: they return object.ErrFault
// for a fault and os.ErrClosed if the view is closed. They may be called from
// any goroutine, and do not allocate.
//
// An operation costs about 10 ns. For less, use an unchecked *atomic.Uint64 from
// [At].
type Word[T uint32 | uint64] struct {
	view *View
	word mem.Word[T]
}

// Word32 returns the 32-bit word at byte off of the view.
//
// Returns object.ErrRange if the word is not inside the view, and fs.ErrInvalid
// if it does not begin at a multiple of 4 bytes of the mapping.
func (v *View) Word32(off int64) (Word[uint32], error) {
	word, err := v.region.Word32(off)
	if err != nil {
		return Word[uint32]{}, v.failed("view", err)
	}
	return Word[uint32]{v, word}, nil
}

// Word64 returns the 64-bit word at byte off of the view. The errors are those of
// [View.Word32]; the word must begin at a multiple of 8 bytes of the mapping.
func (v *View) Word64(off int64) (Word[uint64], error) {
	word, err := v.region.Word64(off)
	if err != nil {
		return Word[uint64]{}, v.failed("view", err)
	}
	return Word[uint64]{v, word}, nil
}

// Load returns the word's value.
func (w Word[T]) Load() (T, error) {
	value, err := w.word.Load()
	return value, w.check("read", err)
}

// Store sets the word to value.
func (w Word[T]) Store(value T) error {
	if err := w.writable(); err != nil {
		return err
	}
	return w.check("write", w.word.Store(value))
}

// Add adds delta to the word and returns the sum, which wraps around.
func (w Word[T]) Add(delta T) (sum T, err error) {
	if err := w.writable(); err != nil {
		return 0, err
	}
	sum, err = w.word.Add(delta)
	return sum, w.check("write", err)
}

// Swap sets the word to value and returns its old value.
func (w Word[T]) Swap(value T) (old T, err error) {
	if err := w.writable(); err != nil {
		return 0, err
	}
	old, err = w.word.Swap(value)
	return old, w.check("write", err)
}

// CompareAndSwap sets the word to value if it was old, and reports whether it
// did.
func (w Word[T]) CompareAndSwap(old, value T) (swapped bool, err error) {
	if err := w.writable(); err != nil {
		return false, err
	}
	swapped, err = w.word.CompareAndSwap(old, value)
	return swapped, w.check("write", err)
}

func (w Word[T]) writable() error {
	if err := w.view.writable(); err != nil {
		return w.view.failed("write", err)
	}
	return nil
}

func (w Word[T]) check(op string, err error) error {
	if err != nil {
		return w.view.failed(op, err)
	}
	return nil
}
