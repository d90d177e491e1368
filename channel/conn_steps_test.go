//go:build filemap_steps

package channel

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/internal/step"
)

// TestConnSteps has the writer write as much as there is room for at each step
// of a read, and the reader read all at each step of a write, anywhere in the
// ring.
func TestConnSteps(t *testing.T) {
	ns := filemaptest.New(t)
	acts := 0
	for before := 3000; before < 4100; before += 88 {
		for _, reads := range []bool{true, false} {
			for n := 0; ; n++ {
				s := newStreams(t, ns.Name(fmt.Sprint("l", acts)), before)
				acts++
				reached := false
				if reads {
					reached = step.At(n, s.writeAll, s.read)
				} else {
					reached = step.At(n, s.readAll, s.write)
				}
				s.finish()
				if !reached {
					break
				}
			}
		}
	}
	t.Logf("figures: conn: something done by the other side at %d steps", acts)
}

// streams is one direction of a connection.
type streams struct {
	t       *testing.T
	out, in *Conn
	written int
	piece   int // how much is written at a time
	got     []byte
}

func newStreams(t *testing.T, name string, before int) *streams {
	t.Helper()
	l, err := Listen(name, &ListenOptions{Capacity: 4096})
	if err != nil {
		t.Fatal(err)
	}
	out, err := Dial(t.Context(), name, nil)
	if err != nil {
		t.Fatal(err)
	}
	in, err := l.AcceptConn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil { // its own steps are not those of the test
		t.Fatal(err)
	}
	s := &streams{t: t, out: out, in: in, piece: 200}
	for s.written < before {
		s.write()
		s.readAll()
	}
	s.piece = 150 // so that records come to lie elsewhere the next time around
	return s
}

// write writes a piece, if there is room, whose bytes count on.
func (s *streams) write() {
	p := make([]byte, s.piece)
	for i := range p {
		p[i] = byte(s.written + i)
	}
	n, _, err := s.out.write(p)
	if err != nil {
		s.t.Fatal("write:", err)
	}
	s.written += n
}

func (s *streams) writeAll() {
	for before := -1; s.written > before; {
		before = s.written
		s.write()
	}
}

func (s *streams) read() {
	p := make([]byte, 150)
	n, _, err := s.in.read(p)
	if err != nil {
		s.t.Fatal("read:", err)
	}
	s.got = append(s.got, p[:n]...)
}

func (s *streams) readAll() {
	for before := -1; len(s.got) > before; {
		before = len(s.got)
		s.read()
	}
}

// finish checks that all that was written is read.
func (s *streams) finish() {
	s.t.Helper()
	for range 5 {
		s.writeAll()
		s.readAll()
	}
	want := make([]byte, s.written)
	for i := range want {
		want[i] = byte(i)
	}
	if !bytes.Equal(s.got, want) {
		s.t.Fatalf("read %d bytes, not the %d that were written", len(s.got), s.written)
	}
	_, _ = s.out.Close(), s.in.Close()
}
