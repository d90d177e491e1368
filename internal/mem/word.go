package mem

import "runtime/debug"

// Word is a word of a region that is read and written atomically, also
// against other processes. Its operations are guarded like a copy, and safe
// for use by any goroutine.
type Word[T uint32 | uint64] struct {
	r    *Region
	word interface {
		Load() T
		Store(T)
		Add(T) T
		Swap(T) T
		CompareAndSwap(old, v T) bool
	}
}

// Word32 returns the word at off, whose address must be a multiple of 4.
func (r *Region) Word32(off int64) (Word[uint32], error) {
	if err := r.checkAligned(off, 4, 4); err != nil {
		return Word[uint32]{}, err
	}
	return Word[uint32]{r, r.word32(off)}, nil
}

// Word64 returns the word at off, whose address must be a multiple of 8.
func (r *Region) Word64(off int64) (Word[uint64], error) {
	if err := r.checkAligned(off, 8, 8); err != nil {
		return Word[uint64]{}, err
	}
	return Word[uint64]{r, r.word64(off)}, nil
}

// Load returns the word.
func (w Word[T]) Load() (v T, err error) {
	if !w.r.begin() {
		return 0, w.r.refuse()
	}
	defer w.r.leave(debug.SetPanicOnFault(true), &err)
	return w.word.Load(), nil
}

// Store sets the word to v.
func (w Word[T]) Store(v T) (err error) {
	if !w.r.begin() {
		return w.r.refuse()
	}
	defer w.r.leave(debug.SetPanicOnFault(true), &err)
	w.word.Store(v)
	return nil
}

// Add adds delta to the word and returns the sum.
func (w Word[T]) Add(delta T) (sum T, err error) {
	if !w.r.begin() {
		return 0, w.r.refuse()
	}
	defer w.r.leave(debug.SetPanicOnFault(true), &err)
	return w.word.Add(delta), nil
}

// Swap sets the word to v and returns what it was.
func (w Word[T]) Swap(v T) (old T, err error) {
	if !w.r.begin() {
		return 0, w.r.refuse()
	}
	defer w.r.leave(debug.SetPanicOnFault(true), &err)
	return w.word.Swap(v), nil
}

// CompareAndSwap sets the word to v if it is old, and reports whether it was.
func (w Word[T]) CompareAndSwap(old, v T) (swapped bool, err error) {
	if !w.r.begin() {
		return false, w.r.refuse()
	}
	defer w.r.leave(debug.SetPanicOnFault(true), &err)
	return w.word.CompareAndSwap(old, v), nil
}
