package ring

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
func heapSlots(size int) Slots {
	const leases = 2
	return NewSlots(heapRing(1<<13), size, make([]uint64, leases))
}

// numbered returns a value that tells its number everywhere.
func numbered(n uint64, size int) []byte {
	return bytes.Repeat(binary.LittleEndian.AppendUint64(nil, n), size/8+1)[:size]
}

func writeHeap(s *Slots, owner uint16, value []byte) {
	for {
		if _, a, _ := s.Write(owner, value); a == Done {
			return
		}
		runtime.Gosched()
	}
}

// readInPlace leases values and looks at them, until all is over: none changes
// meanwhile, and none is older than the one before. It returns how many it saw.
func readInPlace(t *testing.T, s *Slots, owner uint16, over *atomic.Bool) (seen int64) {
	for last := uint64(0); !over.Load(); {
		i, n, a, err := s.Lease(owner, last)
		if a == Empty && err == nil || err == ErrTooFast {
			runtime.Gosched()
			continue
		}
		value := s.all[n.Slot()].value
		before := bytes.Clone(value)
		runtime.Gosched()
		whole := bytes.Equal(value, before) && isNumbered(value)
		if err != nil || !whole || n.Version() <= last {
			t.Errorf("version %d after %d, whole %v, error %v", n.Version(), last, whole, err)
			return seen
		}
		last = n.Version()
		seen++
		s.GiveBack(i, owner)
	}
	return seen
}

func isNumbered(value []byte) bool {
	var number [8]byte
	copy(number[:], value)
	return bytes.Equal(value, numbered(binary.LittleEndian.Uint64(number[:]), len(value)))
}

// TestSlotsOnHeap runs the algorithm where the race detector sees it: no reader
// gets parts of two values, nor an older one than before.
func TestSlotsOnHeap(t *testing.T) {
	for _, size := range []int{1, 8, 13, 800} {
		s := heapSlots(size)
		var writers, readers sync.WaitGroup
		var over atomic.Bool
		var reads, failed, leases atomic.Int64
		for owner := range uint16(2) {
			writers.Go(func() {
				for n := range uint64(20_000) {
					writeHeap(&s, owner+1, numbered(n, size))
				}
			})
		}
		for owner := range uint16(2) {
			readers.Go(func() { leases.Add(readInPlace(t, &s, owner+3, &over)) })
			readers.Go(func() {
				buffer := make([]byte, size)
				for last := uint64(0); !over.Load(); reads.Add(1) {
					version, a, err := s.Read(buffer, last)
					if a == Empty && err == nil || err == ErrTooFast {
						failed.Add(1)
						continue
					}
					torn := !isNumbered(buffer)
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
		if s.Send.Messages != 40_000 || s.Newest().Version() != 40_000 {
			t.Errorf("%d writes, version %d", s.Send.Messages, s.Newest().Version())
		}
		t.Logf("figures: latest on the heap: %d bytes: %d reads, %d in vain, %d leases",
			size, reads.Load(), failed.Load(), leases.Load())
	}
}

// TestSlotsAreFree has as many leases as there can be, of any values and for any
// time: the writer finds a slot that is neither leased nor the newest.
func TestSlotsAreFree(t *testing.T) {
	const most, owner = 2, 7
	random := rand.New(rand.NewPCG(1, 2))
	s := NewSlots(heapRing(1<<14), 8, make([]uint64, most))
	held := make(map[int]Newest)
	for number := range uint64(100_000) {
		at, _, a, err := s.Reserve(1)
		if a != Done || err != nil || number > 0 && at == s.Newest().Slot() {
			t.Fatalf("write %d to slot %d, the newest is in %d: %v", number, at, s.Newest().Slot(), err)
		}
		s.all[at].put(numbered(number+1, 8))
		s.Commit(at)
		if i, n, a, err := s.Lease(owner, NoVersion); a == Done {
			held[i] = n
		} else if err != ErrNoLease || len(held) != most {
			t.Fatalf("%d leases, and no further one: %v", len(held), err)
		}
		for i, n := range held {
			if got := binary.LittleEndian.Uint64(s.all[n.Slot()].value); got != n.Version() {
				t.Fatalf("version %d is leased, and has become %d", n.Version(), got)
			}
			if random.IntN(8) == 0 {
				s.GiveBack(i, owner)
				delete(held, i)
			}
		}
	}
}

// TestSlotsGoAround has versions begin again.
func TestSlotsGoAround(t *testing.T) {
	s := heapSlots(8)
	s.Send.newest = uint64(newNewest(versionMost-3, 0))
	for n, want := range []uint64{versionMost - 2, versionMost - 1, versionMost, 1, 2, 3, 4, 5} {
		writeHeap(&s, 1, numbered(uint64(n), 8))
		buffer := make([]byte, 8)
		version, _, err := s.Read(buffer, NoVersion)
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
		s.Send.End = noise.Uint64() >> noise.IntN(64)
		s.Send.newest = uint64(newNewest(noise.Uint64N(8), noise.IntN(8)))
		for i := range s.leases {
			s.leases[i] = noise.Uint64() >> noise.IntN(64)
		}
		for i := range s.all {
			*s.all[i].version = uint64(noise.IntN(8))
		}
		switch _, a, err := s.Read(make([]byte, 100), NoVersion); {
		case a == Done:
			found[0]++
		case err == nil:
			found[1]++
		case errors.Is(err, object.ErrCorrupt):
			found[2]++
		default:
			t.Fatal(err)
		}
		if i, _, a, _ := s.Lease(2, NoVersion); a == Done {
			s.GiveBack(i, 2)
		}
		if _, a, err := s.Write(1, make([]byte, 100)); a.Result() == Empty || err != nil {
			t.Fatalf("a write found no room: %v", err)
		}
	}
	for i, n := range found {
		if n == 0 {
			t.Errorf("outcome %d never came", i)
		}
	}
}
