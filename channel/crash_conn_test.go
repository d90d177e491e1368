//go:build filemap_steps

package channel_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/waitable"
)

// Crash points of connections: a process that dials, or listens, and what it
// does with its connection. The other side must get all that it said to have
// written, see its end, and be able to go on with others.

const (
	crashRounds = 3
	crashPiece  = 1500 // so that the third one goes around the ring's end
)

func piece(round int) string { return strings.Repeat(fmt.Sprint(round), crashPiece) }

func init() {
	roles["crash dial"] = func(name string) error {
		turns, err := waitable.OpenSemaphore(name + turnSuffix)
		if err = errors.Join(err, dieAtStep()); err != nil {
			return err
		}
		c, err := channel.Dial(background, name, nil)
		if err != nil {
			return err
		}
		say("dialed")
		return crashConn(c, turns)
	}
	roles["crash listen"] = func(name string) error {
		turns, err := waitable.OpenSemaphore(name + turnSuffix)
		if err = errors.Join(err, dieAtStep()); err != nil {
			return err
		}
		l, err := channel.Listen(name, &channel.ListenOptions{
			Capacity: 4096, Spin: channel.SpinNever, // otherwise it would wait for many steps
		})
		if err != nil {
			return err
		}
		say("listening")
		c, err := l.AcceptConn(background)
		if err != nil {
			return err
		}
		return errors.Join(crashConn(c, turns), l.Close())
	}
}

// turnSuffix names the semaphore by which the other side says that it has
// written something, and read all there is.
const turnSuffix = "turn"

// crashConn reads and writes pieces, and says so.
func crashConn(c *channel.Conn, turns *waitable.Semaphore) error {
	for round := range crashRounds {
		if err := turns.Acquire(background); err != nil {
			return err
		}
		if _, err := io.ReadFull(c, make([]byte, crashPiece)); err != nil {
			return err
		}
		if _, err := io.WriteString(c, piece(round)); err != nil {
			return err
		}
		say("wrote")
	}
	if err := c.CloseWrite(); err != nil {
		return err
	}
	say("ended")
	err := c.Close()
	say("closed")
	return err
}

// accompany is the other side. It checks what it reads against what the process
// says, and reports whether that got through.
func accompany(
	t *testing.T, c *channel.Conn, turns *waitable.Semaphore, victim *child,
) (through bool) {
	var got []byte
	var err error
	for round := 0; round < crashRounds && err == nil; round++ {
		_, _ = io.WriteString(c, piece(round)) // it may be dead
		succeed(t, "Release", second(turns.Release(1)))
		p := make([]byte, crashPiece)
		var n int
		n, err = io.ReadFull(c, p)
		got = append(got, p[:n]...)
	}
	rest, restErr := io.ReadAll(c)
	want := ""
	for round := range crashRounds {
		want += piece(round)
	}
	said := map[string]int{}
	for victim.output.Scan() {
		said[victim.output.Text()]++
	}
	switch wrote := said["wrote"]; {
	case len(rest) > 0 || !strings.HasPrefix(want, string(got)) || len(got) < wrote*crashPiece:
		t.Errorf("read %d bytes, then %d, after it wrote %d pieces", len(got), len(rest), wrote)
	case restErr == nil && len(got) < len(want):
		t.Errorf("read an end after %d bytes of %d", len(got), len(want))
	case restErr != nil && (!errors.Is(restErr, channel.ErrPeerGone) || said["ended"] > 0):
		t.Errorf("at the end: %v", restErr)
	}
	succeed(t, "Close", c.Close())
	return said["closed"] > 0
}

func newTurns(t *testing.T, name string) *waitable.Semaphore {
	t.Helper()
	turns, err := waitable.CreateSemaphore(name+turnSuffix, 0, 100, nil)
	succeed(t, "CreateSemaphore", err)
	t.Cleanup(func() { _ = turns.Close() })
	return turns
}

// expectService checks that a listener can be dialed, whatever was left to it.
func expectService(t *testing.T, l *channel.Listener) {
	t.Helper()
	c := dial(t, l.Addr().String())
	_, err := io.WriteString(c, "hello")
	succeed(t, "Write", errors.Join(err, c.CloseWrite()))
	for got := ""; got != "hello"; {
		c, err := l.AcceptConn(background)
		succeed(t, "Accept", err)
		p, _ := io.ReadAll(c) // of one who was killed
		got = string(p)
		succeed(t, "Close", c.Close())
	}
	succeed(t, "Close", errors.Join(c.Close(), l.Close()))
}

func TestCrashPointsDial(t *testing.T) {
	atEachStep(t, "dial", func(t *testing.T, name string) (through bool) {
		l, turns := listener(t, name, &channel.ListenOptions{Capacity: 4096}), newTurns(t, name)
		victim := start(t, "crash dial", name)
		if victim.output.Scan() && victim.output.Text() == "dialed" {
			c, err := l.AcceptConn(background)
			if err != nil {
				t.Fatalf("Accept: %v", err)
			}
			through = accompany(t, c, turns, victim)
		}
		victim.kill()
		expectService(t, l)
		return through
	})
}

func TestCrashPointsListen(t *testing.T) {
	atEachStep(t, "listen", func(t *testing.T, name string) (through bool) {
		turns := newTurns(t, name)
		victim := start(t, "crash listen", name)
		if victim.output.Scan() && victim.output.Text() == "listening" {
			c, err := channel.Dial(background, name, nil)
			switch {
			case err == nil:
				through = accompany(t, c, turns, victim)
			case !errors.Is(err, fs.ErrNotExist):
				t.Errorf("Dial: %v", err)
			}
		}
		victim.kill()
		expectService(t, listener(t, name, nil))
		return through
	})
}
