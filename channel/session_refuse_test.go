package channel

import (
	"context"
	"errors"
	"io/fs"
	"testing"

	"github.com/filemap-go/filemap/channel/internal/segment"
	"github.com/filemap-go/filemap/filemaptest"
)

// TestLaterListenerRefuses has a Listener find the session that a dialer had asked an
// earlier Listener of the name for. The dialer learns that nobody listens, which a Dial
// that waits takes as a reason to go on.
func TestLaterListenerRefuses(t *testing.T) {
	name := filemaptest.New(t).Name("service")
	earlier, err := newListener(name, ListenOptions{Capacity: 4096}) // takes no sessions
	if err != nil {
		t.Fatal(err)
	}
	q, _, err := makeQueue(segment.Spec{Name: name, Kind: segment.Listener}, QueueOptions{}, segment.Open)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	d, alive, err := q.newDialing(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	defer alive.Close()
	if err := earlier.Close(); err != nil {
		t.Fatal(err)
	}
	later, err := Listen(name, &ListenOptions{Capacity: 8192})
	if err != nil {
		t.Fatal(err)
	}
	defer later.Close()
	for decide(d.segment, 0) == 0 {
		pause(t.Context(), dialPause)
	}
	if err := d.awaitTaken(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the session of an earlier Listener: %v, want fs.ErrNotExist", err)
	}
}
