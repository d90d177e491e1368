package channel_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/internal/kernel"
)

// objects returns how many objects the sessions with a service have.
func objects(t *testing.T, service string) int {
	t.Helper()
	all, err := inspect.List(background, service+"~s*")
	succeed(t, "List", err)
	return len(all)
}

// awaitObjects waits until the sessions with a service have so many objects.
func awaitObjects(t *testing.T, service string, want int) {
	t.Helper()
	for objects(t, service) != want {
		time.Sleep(10 * time.Millisecond)
	}
}

// exchange sends a text each way.
func exchange(t *testing.T, a, b *channel.Conn, text string) {
	t.Helper()
	for range 2 {
		_, err := io.WriteString(a, text)
		succeed(t, "Write", err)
		p := make([]byte, len(text))
		if _, err := io.ReadFull(b, p); string(p) != text || err != nil {
			t.Fatalf("read %q, %v, want %q", p, err, text)
		}
		a, b = b, a
	}
}

// TestSessionIsShared has many connections of a process: they have one session, which
// grows by blocks, gives them back, and ends when no connection is left.
func TestSessionIsShared(t *testing.T) {
	watchdog(t)
	l := listener(t, filemaptest.New(t).Name("service"), &channel.ListenOptions{Capacity: 4096})
	service := l.Addr().String()
	var sides [][2]*channel.Conn
	open := func() {
		a, b := connect(t, l)
		sides = append(sides, [2]*channel.Conn{a, b})
		exchange(t, a, b, fmt.Sprint("stream ", len(sides)))
	}
	open()
	first := objects(t, service)
	for len(sides) < 8 {
		open()
	}
	if n := objects(t, service); n != first {
		t.Errorf("8 connections have %d objects, one has %d", n, first)
	}
	for len(sides) < 8+16+1 {
		open()
	}
	if n := objects(t, service); n != first+2 {
		t.Errorf("connections in three blocks have %d objects, in one %d", n, first)
	}
	if all := sessions(t, service); len(all) != 1 || len(all[0].Streams) != len(sides) {
		t.Errorf("there are %+v, want one session with %d streams", all, len(sides))
	}
	closeSides := func(some [][2]*channel.Conn) {
		for i, s := range some { // either side first
			succeed(t, "Close", errors.Join(s[i%2].Close(), s[1-i%2].Close()))
		}
	}
	closeSides(sides[1:])
	awaitObjects(t, service, first)
	exchange(t, sides[0][0], sides[0][1], "still there")
	closeSides(sides[:1])
	awaitObjects(t, service, 0)
}

// TestSlotIsUsedAgain opens and closes connections that leave something unread: the next
// one in the slot reads what is its own.
func TestSlotIsUsedAgain(t *testing.T) {
	watchdog(t)
	l := listener(t, filemaptest.New(t).Name("service"), &channel.ListenOptions{Capacity: 4096})
	for round := range 100 {
		a, b := connect(t, l)
		_, err := io.WriteString(b, strings.Repeat(fmt.Sprint("unread ", round), round))
		succeed(t, "Write", err)
		text := strings.Repeat(fmt.Sprint("round ", round, " "), 1+round)
		_, err = io.WriteString(a, text)
		succeed(t, "Write", errors.Join(err, a.Close()))
		if got, err := io.ReadAll(b); string(got) != text || err != nil {
			t.Fatalf("read %q, %v, want %q", got, err, text)
		}
		succeed(t, "Close", b.Close())
	}
}

// TestConnsOutliveListener closes a Listener: its accepted connections go on, what was not
// accepted ends, and another Listener of the name has another session.
func TestConnsOutliveListener(t *testing.T) {
	watchdog(t)
	name := filemaptest.New(t).Name("service")
	l := listener(t, name, nil)
	a, b := connect(t, l)
	waits := dial(t, name)
	succeed(t, "Close", l.Close())
	if _, err := waits.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("Read of a connection that was not accepted: %v", err)
	}
	if _, err := channel.Dial(background, name, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Dial: %v", err)
	}
	exchange(t, a, b, "after Close")
	second := listener(t, name, nil)
	c, d := connect(t, second)
	exchange(t, c, d, "the second listener's")
	exchange(t, a, b, "the first one's")
}

func init() {
	roles["stay thrice"] = func(name string) error {
		for i := range 3 {
			c, err := channel.Dial(background, name, &channel.DialOptions{Wait: true})
			if err == nil {
				_, err = fmt.Fprint(c, "hello", i)
			}
			if err != nil {
				return err
			}
		}
		say("dialed")
		time.Sleep(time.Hour)
		return nil
	}
}

// TestDeathEndsAllStreams kills a process with several connections: each reads what was
// sent, and then that the process is gone. So does one that is accepted only then.
func TestDeathEndsAllStreams(t *testing.T) {
	watchdog(t)
	l := listener(t, filemaptest.New(t).Name("service"), nil)
	victim := start(t, "stay thrice", l.Addr().String())
	victim.await(t, "dialed")
	ends := make(chan error, 3)
	expect := func() {
		c, err := l.AcceptConn(background)
		succeed(t, "Accept", err)
		t.Cleanup(func() { c.Close() })
		go func() {
			got, err := io.ReadAll(c)
			if !strings.HasPrefix(string(got), "hello") {
				err = fmt.Errorf("read %q, %w", got, err)
			}
			ends <- err
		}()
	}
	expect()
	expect()
	time.Sleep(10 * time.Millisecond) // both wait
	victim.kill()
	expect()
	for range 3 {
		if err := <-ends; !errors.Is(err, channel.ErrPeerGone) || strings.Contains(err.Error(), "read \"") {
			t.Errorf("at the end: %v", err)
		}
	}
}

// TestInspectSession shows the streams of a session.
func TestInspectSession(t *testing.T) {
	watchdog(t)
	l := listener(t, filemaptest.New(t).Name("service"), nil)
	a, b := connect(t, l)
	_, err := io.WriteString(a, "five!")
	succeed(t, "Write", err)
	all := sessions(t, l.Addr().String())
	if len(all) != 1 || all[0].Kind != "session" || len(all[0].Members) != 2 || len(all[0].Streams) != 1 {
		t.Fatalf("there are %+v", all)
	}
	s := all[0].Streams[0]
	if s.State != "open" || s.Sent.SentBytes != 5 || s.Sent.ReceivedBytes != 0 || s.Received.SentBytes != 0 {
		t.Errorf("the stream is %+v", s)
	}
	if !strings.HasSuffix(b.RemoteAddr().String(), fmt.Sprint(".", s.ID)) {
		t.Errorf("the stream of %v has ID %d", b.RemoteAddr(), s.ID)
	}
	succeed(t, "Close", a.Close())
	if s := sessions(t, l.Addr().String())[0].Streams; len(s) != 1 || s[0].State != "dialer closed" {
		t.Errorf("after the dialer's Close: %+v", s)
	}
}

// TestDroppedConns drops either side of a connection without closing it: the other side
// reads to its end, and the session ends.
func TestDroppedConns(t *testing.T) {
	watchdog(t)
	for _, dropped := range []string{"dialed", "accepted"} {
		t.Run(dropped, func(t *testing.T) {
			l := listener(t, filemaptest.New(t).Name("service"), nil)
			service := l.Addr().String()
			kept := func() *channel.Conn {
				dialed, err := channel.Dial(background, service, nil) // with no cleanup that has it
				succeed(t, "Dial", err)
				accepted, err := l.AcceptConn(background)
				succeed(t, "Accept", err)
				kept, lost := accepted, dialed
				if dropped == "accepted" {
					kept, lost = dialed, accepted
				}
				_, err = io.WriteString(lost, "last words")
				succeed(t, "Write", err)
				return kept
			}()
			read := make(chan string)
			go func() {
				text, err := io.ReadAll(kept)
				read <- fmt.Sprint(string(text), err)
			}()
			for done := false; !done; {
				runtime.GC()
				select {
				case got := <-read:
					if want := fmt.Sprint("last words", error(nil)); got != want {
						t.Errorf("read %q, want %q", got, want)
					}
					done = true
				case <-time.After(time.Millisecond):
				}
			}
			succeed(t, "Close", kept.Close())
			awaitObjects(t, service, 0)
			if names := kernel.TakeDropped(func(name string) bool { return name == service }); len(names) != 1 {
				t.Errorf("dropped without Close: %q, want the connection", names)
			}
		})
	}
}
