package channel_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/filemap-go/filemap/channel"
)

// TestReadSpansWrites reads what several writes have left, at once.
func TestReadSpansWrites(t *testing.T) {
	watchdog(t)
	a, b := pair(t)
	for range 5 {
		_, err := a.Write([]byte("12345678"))
		succeed(t, "Write", err)
	}
	p := make([]byte, 100)
	if n, err := b.Read(p); string(p[:n]) != strings.Repeat("12345678", 5) || err != nil {
		t.Errorf("Read = %q, %v", p[:n], err)
	}
	_, err := a.Write([]byte("12345678abcdefgh"))
	succeed(t, "Write", errors.Join(err, a.Close()))
	if n, err := b.Read(p[:12]); string(p[:n]) != "12345678abcd" || err != nil {
		t.Errorf("Read = %q, %v", p[:n], err)
	}
	if n, err := b.Read(p); string(p[:n]) != "efgh" || err != nil {
		t.Errorf("Read = %q, %v", p[:n], err)
	}
	if n, err := b.Read(p); n > 0 || err != io.EOF {
		t.Errorf("Read at the end = %d, %v", n, err)
	}
}

// TestConnCloseUnread closes a side that has not read everything: the other side
// still reads what it sent, and io.EOF.
func TestConnCloseUnread(t *testing.T) {
	watchdog(t)
	a, b := pair(t)
	_, err := a.Write([]byte("unread"))
	succeed(t, "Write", err)
	_, err = b.Write([]byte("answer"))
	succeed(t, "Write", err)
	succeed(t, "Close", b.Close())
	if got, err := io.ReadAll(a); string(got) != "answer" || err != nil {
		t.Errorf("ReadAll = %q, %v", got, err)
	}
	if _, err := a.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("Write: %v", err)
	}
}

func TestCloseRead(t *testing.T) {
	watchdog(t)
	a, b := pair(t)
	reading := make(chan error)
	go func() { reading <- second(b.Read(make([]byte, 1))) }()
	succeed(t, "CloseRead", b.CloseRead())
	if err := <-reading; err != io.EOF {
		t.Errorf("Read during CloseRead: %v", err)
	}
	if _, err := b.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("Read after CloseRead: %v", err)
	}
	if _, err := a.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("Write to a side that does not read: %v", err)
	}
	_, err := b.Write([]byte("on"))
	succeed(t, "Write", err)
	_, err = io.ReadFull(a, make([]byte, 2))
	succeed(t, "Read", err)
}

func TestLinger(t *testing.T) {
	watchdog(t)
	write := func(c *channel.Conn, sec int) {
		t.Helper()
		_, err := c.Write([]byte("last words"))
		succeed(t, "Write", errors.Join(err, c.SetLinger(sec)))
	}
	a, b := pair(t)
	write(a, 0)
	succeed(t, "Close", a.Close())
	if got, err := io.ReadAll(b); len(got) > 0 || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("what was discarded: %q, %v", got, err)
	}
	a, b = pair(t)
	write(a, 1)
	if err := a.Close(); !errors.Is(err, os.ErrDeadlineExceeded) || !strings.Contains(err.Error(), "last 10 bytes") {
		t.Errorf("Close before the other side has read: %v", err)
	}
	if got, err := io.ReadAll(b); string(got) != "last words" || err != nil {
		t.Errorf("what Close has waited for in vain: %q, %v", got, err)
	}
	a, b = pair(t)
	write(a, 100)
	closed := make(chan error)
	go func() { closed <- a.Close() }()
	if got, err := io.ReadAll(b); string(got) != "last words" || err != nil {
		t.Errorf("while Close waits: %q, %v", got, err)
	}
	succeed(t, "Close", <-closed)
	a, b = pair(t)
	write(a, 100)
	succeed(t, "Close", b.Close())
	if err := a.Close(); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("Close when the other side has closed without reading: %v", err)
	}
}

// TestConnCopies moves more than a ring by the methods that io.Copy looks for.
func TestConnCopies(t *testing.T) {
	watchdog(t)
	a, b := pair(t)
	want := bytes.Repeat([]byte("0123456789abcdef"), 100_000)
	sent := make(chan error)
	go func() {
		n, err := a.ReadFrom(bytes.NewReader(want))
		if n != int64(len(want)) {
			t.Errorf("ReadFrom = %d", n)
		}
		sent <- errors.Join(err, a.CloseWrite())
	}()
	var got bytes.Buffer
	n, err := b.WriteTo(&got)
	if n != int64(len(want)) || err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Errorf("WriteTo = %d, %v", n, err)
	}
	succeed(t, "ReadFrom", <-sent)
}
