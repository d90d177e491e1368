//go:build filemap_steps

package ring

import (
	"encoding/binary"
	"testing"

	"github.com/filemap-go/filemap/internal/step"
)

// expectNumber reads the newest value, which is to be whole and one of these.
func expectNumber(t *testing.T, n int, s *Slots, want ...uint64) {
	t.Helper()
	buffer := make([]byte, 100)
	_, a, err := s.Read(buffer, NoVersion)
	got := binary.LittleEndian.Uint64(buffer)
	whole := string(buffer) == string(numbered(got, 100))
	for _, w := range want {
		if err == nil && a == Done && got == w && whole {
			return
		}
	}
	t.Fatalf("at step %d: value %d, whole %v, error %v, want one of %d", n, got, whole, err, want)
}

// TestLatestDeathAtEachStep has a writer die at each of its steps: what was
// there before can be read, or what it wrote, and others can go on.
func TestLatestDeathAtEachStep(t *testing.T) {
	n := 0
	for ; ; n++ {
		s := heapSlots(100)
		for i := range uint64(6) {
			writeHeap(&s, 2, numbered(i, 100))
		}
		reached := step.At(n, step.Die, func() { writeHeap(&s, 1, numbered(6, 100)) })
		expectNumber(t, n, &s, 5, 6)
		s.Release(1)
		expectNumber(t, n, &s, 5, 6)
		writeHeap(&s, 2, numbered(7, 100))
		expectNumber(t, n, &s, 7)
		if !reached {
			break
		}
	}
	t.Logf("figures: latest: a writer died at each of %d steps", n)
}

// TestLatestFailsAtEachStep is the same, but that the writer lives, and writes
// again.
func TestLatestFailsAtEachStep(t *testing.T) {
	for n, reached := 0, true; reached; n++ {
		s := heapSlots(100)
		writeHeap(&s, 1, numbered(5, 100))
		reached = step.At(n, step.Die, func() { writeHeap(&s, 1, numbered(6, 100)) })
		expectNumber(t, n, &s, 5, 6)
		writeHeap(&s, 1, numbered(7, 100))
		expectNumber(t, n, &s, 7)
	}
}

// TestLatestWritesAtEachStepOfRead has up to nine values written at each step of
// a reader, and a last one begun by a writer that dies at each of its steps: the
// reader gets one of the values that were there meanwhile.
func TestLatestWritesAtEachStepOfRead(t *testing.T) {
	n := 0
	for reached := true; reached; n++ {
		for writes := range uint64(10) {
			for k, dying := 0, true; dying; k++ {
				reached, dying = readDuring(t, n, writes, k)
			}
		}
	}
	t.Logf("figures: latest: writes at each of %d steps of a reader", n-1)
}

// readDuring reports whether the reader has step n, and the dying writer step k.
func readDuring(t *testing.T, n int, writes uint64, k int) (reached, dying bool) {
	s := heapSlots(100)
	writeHeap(&s, 1, numbered(0, 100))
	buffer := make([]byte, 100)
	reached = step.At(n, func() {
		for i := range writes {
			writeHeap(&s, 1, numbered(i+1, 100))
		}
		dying = step.At(k, step.Die, func() { writeHeap(&s, 1, numbered(writes+1, 100)) })
	}, func() {
		if _, a, err := s.Read(buffer, NoVersion); err != nil || a != Done {
			t.Fatalf("%d writes at step %d: %v", writes, n, err)
		}
	})
	got, newest := binary.LittleEndian.Uint64(buffer), s.Newest().Version()-1
	if got > newest || string(buffer) != string(numbered(got, 100)) {
		t.Fatalf("%d writes at step %d, one half done: value %d, torn or not there", writes, n, got)
	}
	return reached, dying
}
