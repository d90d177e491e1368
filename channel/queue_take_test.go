package channel_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/object"
)

func take(t *testing.T, q *channel.Queue, want string, takes int) channel.Taken {
	t.Helper()
	taken, err := q.Take(background)
	succeed(t, "Take", err)
	if string(taken.Bytes()) != want || taken.Takes() != takes {
		t.Errorf("took %.20q after %d takes, want %.20q after %d", taken.Bytes(), taken.Takes(), want, takes)
	}
	return taken
}

func TestTake(t *testing.T) {
	watchdog(t)
	a, b := queue(t, nil)
	for _, m := range []string{"1", "2", "3", "4"} {
		send(t, a, m)
	}
	one, two, three := take(t, a, "1", 0), take(t, b, "2", 0), take(t, a, "3", 0)
	if one.ID() == two.ID() || one.ID().Queue != two.ID().Queue || one.ID().Queue == 0 {
		t.Errorf("%+v and %+v", one.ID(), two.ID())
	}
	info, err := channel.Inspect(a.Name())
	succeed(t, "Inspect", err)
	if h := info.InHand; len(h) != 3 || h[0].Place != 1 || h[1].Place != 2 || h[2].Position != three.ID().Position ||
		h[0].Length != 1 || info.Rings[0].Lag != 1 {
		t.Errorf("%+v", info)
	}
	// What is given back comes first, the oldest first of all, by any way.
	succeed(t, "Return", two.Return())
	succeed(t, "Return", one.Return())
	again := take(t, b, "1", 1)
	if again.ID() != one.ID() {
		t.Errorf("%+v was %+v", again.ID(), one.ID())
	}
	succeed(t, "Return", again.Return())
	expectMessage(t, b, "1")
	expectMessage(t, b, "2")
	succeed(t, "Return", three.Return())
	lease, err := b.Next(background)
	succeed(t, "Next", err)
	if string(lease.Bytes()) != "3" {
		t.Errorf("leased %q", lease.Bytes())
	}
	succeed(t, "Return of a lease", lease.Return())
	three = take(t, a, "3", 2)
	succeed(t, "Return", three.Return())
	var drained []string
	n, err := b.Drain(background, func(m []byte) error { drained = append(drained, string(m)); return nil })
	if fmt.Sprint(drained) != "[3 4]" || n != 2 || err != nil {
		t.Errorf("drained %d: %q, %v", n, drained, err)
	}
	expectEmpty(t, a)
	if _, ok, err := a.TryTake(); ok || err != nil {
		t.Errorf("TryTake of none: %v, %v", ok, err)
	}
	for _, ended := range []channel.Taken{one, two, three, again, {}} {
		if err := ended.Done(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("Done after the end: %v", err)
		}
		if err := ended.Return(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("Return after the end: %v", err)
		}
	}
}

// TestTakenAgain is about a Taken whose message the same handle has again.
func TestTakenAgain(t *testing.T) {
	a, _ := queue(t, nil)
	send(t, a, "x")
	first := take(t, a, "x", 0)
	succeed(t, "Return", first.Return())
	second := take(t, a, "x", 1)
	if err := first.Done(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Done of the first: %v", err)
	}
	succeed(t, "Done", second.Done())
}

func TestTakeBatch(t *testing.T) {
	a, b := queue(t, nil)
	for i := range 6 {
		send(t, a, fmt.Sprint(i))
	}
	returned := take(t, a, "0", 0)
	succeed(t, "Return", returned.Return())
	text := func(batch []channel.Taken, err error) (all string) {
		t.Helper()
		succeed(t, "TakeBatch", err)
		for _, m := range batch {
			all += string(m.Bytes())
		}
		return all
	}
	first, err := b.TakeBatch(background, 3)
	if got := text(first, err); got != "012" {
		t.Errorf("took %q", got)
	}
	rest, err := a.TakeBatch(background, 100)
	if got := text(rest, err); got != "345" {
		t.Errorf("took %q", got)
	}
	succeed(t, "Done", rest[1].Done())
	succeed(t, "Return", rest[2].Return())
	succeed(t, "Done", rest[0].Done())
	expectMessage(t, b, "5")
	if _, err := a.TakeBatch(background, 0); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("TakeBatch of none: %v", err)
	}
	short, cancel := context.WithTimeout(background, 5*time.Millisecond)
	defer cancel()
	if _, err := a.TakeBatch(short, 5); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("TakeBatch from an empty queue: %v", err)
	}
}

// TestTakeSlow sends many times what the ring holds past a message in hand.
func TestTakeSlow(t *testing.T) {
	watchdog(t)
	a, b := queue(t, &channel.QueueOptions{Capacity: 4096})
	text := strings.Repeat("slow", 100)
	for round := range 20 {
		send(t, a, text)
		slow := take(t, b, text, 0)
		for i := range 500 {
			m := bytes.Repeat([]byte{byte(i)}, (i*37+round)%1500)
			succeed(t, "Send", a.Send(background, m))
			expectMessage(t, b, string(m))
		}
		if string(slow.Bytes()) != text {
			t.Fatalf("in hand it became %.40q", slow.Bytes())
		}
		if round%2 == 0 {
			succeed(t, "Return", slow.Return())
			expectMessage(t, a, text)
		} else {
			succeed(t, "Done", slow.Done())
		}
	}
}

// TestTakeFull is about what is in hand filling the ring, and the table.
func TestTakeFull(t *testing.T) {
	watchdog(t)
	a, b := queue(t, &channel.QueueOptions{Capacity: 4096, Overflow: channel.Fail})
	var held []channel.Taken
	for a.Send(background, make([]byte, 500)) == nil {
		m, err := b.Take(background)
		succeed(t, "Take", err)
		held = append(held, m)
	}
	if len(held) < 6 {
		t.Errorf("%d messages of 500 bytes filled the ring of 4096", len(held))
	}
	waiting := openQueue(t, a.Name(), nil)
	sent := make(chan error)
	go func() { sent <- waiting.Send(background, make([]byte, 500)) }()
	time.Sleep(5 * time.Millisecond)
	succeed(t, "Done", held[3].Done()) // too small a gap, with what stays free after a message
	succeed(t, "Done", held[4].Done())
	succeed(t, "Send", <-sent)
	succeed(t, "Close", b.Close())

	c, d := queue(t, nil)
	for range 1025 {
		send(t, c, "x")
	}
	batch, err := d.TakeBatch(background, 2000)
	succeed(t, "TakeBatch", err)
	if len(batch) != 1024 {
		t.Errorf("took %d", len(batch))
	}
	if _, err := c.Take(background); !errors.Is(err, object.ErrNoSpace) || !strings.Contains(err.Error(), "1024") {
		t.Errorf("one too many: %v", err)
	}
	expectMessage(t, c, "x")
	succeed(t, "Close", d.Close())
	batch, err = c.TakeBatch(background, 2000)
	if len(batch) != 1024 || err != nil {
		t.Errorf("took %d again, %v", len(batch), err)
	}
}

func TestTakeClose(t *testing.T) {
	a, b := queue(t, nil)
	send(t, a, "1")
	send(t, a, "2")
	m := take(t, b, "1", 0)
	short, cancel := context.WithTimeout(background, 5*time.Millisecond)
	defer cancel()
	expectMessage(t, a, "2")
	if err := a.AwaitEmpty(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("AwaitEmpty with one in hand: %v", err)
	}
	succeed(t, "Close", b.Close())
	if err := m.Done(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Done after Close: %v", err)
	}
	if err := a.Flush(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Flush with one that was given back: %v", err)
	}
	m = take(t, a, "1", 1)
	empty := make(chan error)
	go func() { empty <- a.AwaitEmpty(background) }()
	time.Sleep(5 * time.Millisecond)
	succeed(t, "Done", m.Done())
	succeed(t, "AwaitEmpty", <-empty)
	succeed(t, "Flush", a.Flush(background))
}

func init() {
	roles["hold messages"] = func(name string) error {
		q, err := channel.OpenQueue(name, nil)
		if err != nil {
			return err
		}
		_, err = q.TakeBatch(background, 2)
		say("held")
		time.Sleep(time.Hour)
		return err
	}
}

// TestTakerDies kills a process with messages in hand: others get them, before
// the rest, whatever they are at.
func TestTakerDies(t *testing.T) {
	watchdog(t)
	for _, spin := range []time.Duration{channel.SpinAdaptive, channel.SpinNever, channel.SpinAlways} {
		for _, waits := range []bool{true, false} {
			a, b := queue(t, &channel.QueueOptions{Spin: spin})
			send(t, a, "1")
			send(t, a, "2")
			other := start(t, "hold messages", a.Name())
			other.await(t, "held")
			if waits { // a moment, so that it sleeps
				time.AfterFunc(10*time.Millisecond, other.kill)
			} else {
				other.kill()
			}
			one := take(t, b, "1", 1)
			send(t, a, "3")
			expectMessage(t, b, "2")
			succeed(t, "Done", one.Done())
			expectMessage(t, b, "3")
		}
	}
}

// TestTakerDiesUnseen kills a process with messages in hand while others find
// messages all the time, and while one only looks.
func TestTakerDiesUnseen(t *testing.T) {
	watchdog(t)
	a, b := queue(t, nil)
	send(t, a, "1")
	send(t, a, "2")
	other := start(t, "hold messages", a.Name())
	other.await(t, "held")
	other.kill()
	for found := false; !found; {
		send(t, a, "busy")
		m, err := b.Take(background)
		succeed(t, "Take", err)
		found = string(m.Bytes()) == "1"
		succeed(t, "Done", m.Done())
	}
	for found := false; !found; {
		m, ok, err := b.TryReceive(nil)
		succeed(t, "TryReceive", err)
		found = ok && string(m) == "2"
	}
}
