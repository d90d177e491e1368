package kernel

import (
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
