package channels

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"testing"

	"github.com/filemap-go/filemap/filemaptest"
)

// playHere plays a bout by goroutines, not by processes. Each server checks that
// no message is missing.
func playHere(t *testing.T, c contestant, b bout) (sent sideResult, got []sideResult) {
	t.Helper()
	b.Name = filemaptest.New(t).Name("bout")
	got = make([]sideResult, max(1, c.servers))
	clientEnds := make(chan struct{})
	var servers sync.WaitGroup
	for i := range got {
		servers.Go(func() {
			m, err := c.opens(b.Exercise, serverEnd, b.Name)
			if err != nil {
				t.Error("a server's open:", err)
				return
			}
			s := &server{size: b.Size}
			if err := s.receive(m, b.Exercise); err != nil {
				t.Error("a server:", err)
			}
			<-clientEnds
			if err := m.Close(); err != nil {
				t.Error("a server's Close:", err)
			}
			got[i] = s.result
		})
	}
	m, err := c.opens(b.Exercise, clientEnd, b.Name)
	if err != nil {
		t.Fatal("the client's open:", err)
	}
	if sent, err = newClient(m, b).play(b); err != nil {
		t.Fatal("the client:", err)
	}
	if err := m.Close(); err != nil {
		t.Error("the client's Close:", err)
	}
	close(clientEnds)
	servers.Wait()
	return sent, got
}

func TestFramesKeepLengths(t *testing.T) {
	var stream bytes.Buffer
	f := newFrames(&stream, &stream)
	sizes := []int{0, 1, copied, copied + 1, 1 << 20}
	for _, size := range sizes {
		if err := f.Send(bytes.Repeat([]byte{byte(size)}, size)); err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 1<<20)
	for _, size := range sizes {
		got, err := f.Receive(buf)
		if err != nil || !bytes.Equal(got, bytes.Repeat([]byte{byte(size)}, size)) {
			t.Errorf("%d bytes came (%v), not the %d that were sent", len(got), err, size)
		}
	}
	if _, err := f.Receive(buf); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v, not EOF", err)
	}
}
