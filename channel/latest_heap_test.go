package channel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/filemap-go/filemap/object"
)

// heapSlots returns slots in memory of this process alone, which the race
// detector sees.
func heapSlots(size int) slots { return newSlots(heapBroadcast(4096, 1, false).ring, size) }

// numbered returns a value that tells its number everywhere.
func numbered(n uint64, size int) []byte {
	return bytes.Repeat(binary.LittleEndian.AppendUint64(nil, n), size/8+1)[:size]
}

func writeHeap(s *slots, owner uint16, value []byte) {
	for {
		if _, a := s.write(owner, value); a == done {
			return
		}
		runtime.Gosched()
	}
}

// TestSlotsOnHeap runs the algorithm where the race detector sees it: no reader
// gets parts of two values, nor an older one than before.
func TestSlotsOnHeap(t *testing.T) {
	for _, size := range []int{1, 8, 13, 800} {
		s := heapSlots(size)
		var writers, readers sync.WaitGroup
		var over atomic.Bool
		var reads, failed atomic.Int64
		for owner := range uint16(2) {
			writers.Go(func() {
				for n := range uint64(20_000) {
					writeHeap(&s, owner+1, numbered(n, size))
				}
			})
		}
		for range 2 {
			readers.Go(func() {
				buffer := make([]byte, size)
				for last := uint64(0); !over.Load(); reads.Add(1) {
					version, a, err := s.read(buffer, last)
					if a == empty && err == nil || err == ErrTooFast {
						failed.Add(1)
						continue
					}
					var number [8]byte
					copy(number[:], buffer)
					torn := !bytes.Equal(buffer, numbered(binary.LittleEndian.Uint64(number[:]), size))
					if err != nil || torn || version <= last {
						t.Errorf("version %d after %d, torn %v, error %v", version, last, torn, err)
						return
					}
					last = version
				}
			})
		}
		writers.Wait()
		over.Store(true)
		readers.Wait()
		if s.send.messages != 40_000 || end(s.send.end).version() != 40_000 {
			t.Errorf("%d writes, version %d", s.send.messages, end(s.send.end).version())
		}
		t.Logf("figures: latest on the heap: %d bytes: %d reads, %d in vain", size, reads.Load(), failed.Load())
	}
}

// TestSlotsGoAround has versions begin again.
func TestSlotsGoAround(t *testing.T) {
	s := heapSlots(8)
	s.send.end = uint64(newEnd((versionMost-3)*8, 0))
	for n, want := range []uint64{versionMost - 2, versionMost - 1, versionMost, 1, 2, 3, 4, 5} {
		writeHeap(&s, 1, numbered(uint64(n), 8))
		buffer := make([]byte, 8)
		version, _, err := s.read(buffer, noVersion)
		if version != want || err != nil || binary.LittleEndian.Uint64(buffer) != uint64(n) {
			t.Errorf("write %d: version %d, error %v, want version %d", n, version, err, want)
		}
	}
}

// TestSlotsWithNonsense reads from memory that holds anything.
func TestSlotsWithNonsense(t *testing.T) {
	noise := rand.New(rand.NewPCG(1, 2))
	var found [3]int
	for range 10_000 {
		s := heapSlots(100)
		s.send.end = noise.Uint64() >> noise.IntN(64)
		for i := range s.all {
			*s.all[i].version = uint64(noise.IntN(8))
		}
		switch _, a, err := s.read(make([]byte, 100), noVersion); {
		case a == done:
			found[0]++
		case err == nil:
			found[1]++
		case errors.Is(err, object.ErrCorrupt):
			found[2]++
		default:
			t.Fatal(err)
		}
		if _, a := s.write(1, make([]byte, 100)); a.result() == empty {
			t.Fatal("a write found no room")
		}
	}
	for i, n := range found {
		if n == 0 {
			t.Errorf("outcome %d never came", i)
		}
	}
}
