package channel

import (
	"context"
	"errors"
	"io/fs"
	"testing"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel/internal/segment"
	"github.com/filemap-go/filemap/filemaptest"
)

// What follows has a stranger take names of a session's objects, as another user can
// under a Global name. The stranger does not get a connection.

const strangeCapacity = 4096

// strangeBlock creates what a block of a session is like.
func strangeBlock(t *testing.T, s *session, number int, serial uint32) {
	t.Helper()
	n := blockSlots(number, strangeCapacity)
	m, err := filemap.Create(blockName(s.segment.Name, serial), ringsOfBlockAt(n)+int64(n)*2*strangeCapacity, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
}

// strangeSession returns both sides of a session without connections.
func strangeSession(t *testing.T) (*dialing, *accepting) {
	t.Helper()
	l, err := Listen(filemaptest.New(t).Name("service"), &ListenOptions{Capacity: strangeCapacity})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	d, err := newDialing(t.Context(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.close() })
	return d, l.sessions.list()[0]
}

// TestStrangersBlock has the name of the block taken that a dialer is about to make.
func TestStrangersBlock(t *testing.T) {
	d, _ := strangeSession(t)
	strangeBlock(t, d.session, 0, 1)
	if _, _, err := d.open(context.Background(), DialOptions{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Dial with a stranger's block: %v, want fs.ErrExist", err)
	}
	c, _, err := d.open(context.Background(), DialOptions{}) // with a serial of its own
	if err != nil {
		t.Fatal(err)
	}
	d.users++
	_ = c.Close()
}

// TestBlockOfDeadDialer has the name of a block taken once its dialer has died.
func TestBlockOfDeadDialer(t *testing.T) {
	d, a := strangeSession(t)
	a.using.Lock() // so that the session does not end meanwhile
	defer a.using.Unlock()
	if err := d.segment.View.Guard(func() error {
		d.serials[0] = 1
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
	strangeBlock(t, a.session, 0, 1)
	if _, err := a.block(0); !errors.Is(err, ErrPeerGone) {
		t.Errorf("a stranger's block: %v, want ErrPeerGone", err)
	}
}

// TestSessionOfDeadDialer has the name of a session taken once its dialer has died: only
// the key tells the Listener.
func TestSessionOfDeadDialer(t *testing.T) {
	d, a := strangeSession(t)
	const id = "STRANGE"
	seg, _, err := segment.Make(sessionSpec(a.l.q, id, strangeCapacity), segment.Create)
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSession(seg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if err := seg.View.Guard(func() error {
		s.words.listener, s.words.key = d.door.id, 1
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	const key = 2
	if _, err := newAccepting(a.l, invitation(key, id)); !errors.Is(err, ErrPeerGone) {
		t.Errorf("a session with another key: %v, want ErrPeerGone", err)
	}
	mine, err := newAccepting(a.l, invitation(1, id))
	if err != nil {
		t.Fatalf("with the session's own key: %v", err)
	}
	_ = mine.close()
}
