package kernel

import (
	"os"
	"testing"

	"github.com/filemap-go/filemap/internal/mem"
	"github.com/filemap-go/filemap/internal/objmgr"
	"github.com/filemap-go/filemap/object"
)

// TestPairsAreUsedAgain: the pages of closed objects serve new ones, once nothing
// refers to the old ones.
func TestPairsAreUsedAgain(t *testing.T) {
	m := objmgr.New(newCountingHost(t.TempDir()).host)
	free := func() int {
		for range 2 * pairsAtOnce {
			event, err := m.CreateSync(objmgr.SyncSpec{Name: testName, Kind: object.Event, Mode: 0o600})
			if err == nil {
				err = event.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		mem.Reclaim(func() bool { return false }) // until all are back
		pairs.mu.Lock()
		defer pairs.mu.Unlock()
		return len(pairs.free)
	}
	first := free()
	if again := free(); again < first { // other tests may give some back
		t.Errorf("the pool has %d pairs, and %d after as many more objects were closed", first, again)
	}
}

// TestPairOfFailureIsNotUsedAgain maps what can't be mapped: the system may have taken
// the pair's second page away.
func TestPairOfFailureIsNotUsedAgain(t *testing.T) {
	size := os.Getpagesize()
	pair, err := pairs.take(size)
	if err != nil {
		t.Fatal(err)
	}
	use := func(f func(free [][]byte) [][]byte) {
		pairs.mu.Lock()
		defer pairs.mu.Unlock()
		pairs.free = f(pairs.free)
	}
	var others [][]byte
	use(func(free [][]byte) [][]byte {
		others = free
		return [][]byte{pair}
	})
	const noFile = -1
	if _, err := mapPage(noFile, size); err == nil {
		t.Fatal("a page of no file was mapped")
	}
	use(func(free [][]byte) [][]byte {
		for _, one := range free { // objects of other tests may have given some back
			if &one[0] == &pair[0] {
				t.Error("the pair can be used again")
			}
		}
		return append(free, others...)
	})
}
