package channel_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

func TestQueueNames(t *testing.T) {
	ns := filemaptest.New(t)
	if _, err := channel.OpenQueue(ns.Name("q"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("OpenQueue of none: %v", err)
	}
	q, created, err := channel.OpenOrCreateQueue(ns.Name("q"), &channel.QueueOptions{Capacity: 5000})
	succeed(t, "OpenOrCreateQueue", err)
	defer q.Close()
	if !created || q.Capacity() != 8192 || q.Longest() != 8192-264 || !strings.HasSuffix(q.Name(), ns.Name("q")) {
		t.Errorf("created %v, capacity %d, longest %d, name %s", created, q.Capacity(), q.Longest(), q.Name())
	}
	for _, capacity := range []int64{0, 4097, 8192} {
		again, created, err := channel.OpenOrCreateQueue(ns.Name("q"), &channel.QueueOptions{Capacity: capacity})
		succeed(t, "OpenOrCreateQueue", err)
		if created || again.Capacity() != 8192 {
			t.Errorf("created %v, capacity %d", created, again.Capacity())
		}
		succeed(t, "Close", again.Close())
	}
	for _, capacity := range []int64{1, 4096, 1 << 20} {
		_, _, err := channel.OpenOrCreateQueue(ns.Name("q"), &channel.QueueOptions{Capacity: capacity})
		expectDiffers(t, err, fmt.Sprintf("with a capacity of 8192 bytes, and was asked for with a capacity of %d bytes",
			max(capacity, 4096)))
	}
	if _, err := channel.CreateQueue(ns.Name("q"), nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("CreateQueue of one that exists: %v", err)
	}
	event, err := waitable.CreateEvent(ns.Name("event"), nil)
	succeed(t, "CreateEvent", err)
	defer event.Close()
	mapping, err := filemap.Create(ns.Name("mapping"), 64<<10, nil)
	succeed(t, "Create", err)
	defer mapping.Close()
	for _, name := range []string{ns.Name("event"), ns.Name("mapping")} {
		if _, _, err := channel.OpenOrCreateQueue(name, nil); !errors.Is(err, object.ErrWrongKind) {
			t.Errorf("OpenOrCreateQueue of %s: %v", name, err)
		}
	}
	for _, name := range []string{"", "/posix", `Local\a\b`} {
		if _, err := channel.CreateQueue(name, nil); !errors.Is(err, object.ErrInvalidName) {
			t.Errorf("CreateQueue(%q): %v", name, err)
		}
	}
	for _, capacity := range []int64{-1, 1<<32 + 1} {
		if _, err := channel.CreateQueue(ns.Name("x"), &channel.QueueOptions{Capacity: capacity}); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("a capacity of %d: %v", capacity, err)
		}
	}
}

// expectDiffers checks the error for a channel that is not like the one asked for.
func expectDiffers(t *testing.T, err error, text string) {
	t.Helper()
	if !errors.Is(err, fs.ErrExist) || !strings.HasSuffix(err.Error(), text) {
		t.Errorf("OpenOrCreate: %v, want %q", err, text)
	}
}

func TestAwaitQueue(t *testing.T) {
	watchdog(t)
	ns := filemaptest.New(t)
	short, cancel := context.WithTimeout(background, 10*time.Millisecond)
	defer cancel()
	if _, err := channel.AwaitQueue(short, ns.Name("q"), nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("AwaitQueue of none: %v", err)
	}
	opened := make(chan error)
	go func() {
		q, err := channel.AwaitQueue(background, ns.Name("q"), nil)
		if err == nil {
			err = q.Close()
		}
		opened <- err
	}()
	q, err := channel.CreateQueue(ns.Name("q"), nil)
	succeed(t, "CreateQueue", err)
	defer q.Close()
	succeed(t, "AwaitQueue", <-opened)
}

// TestQueueFlush has senders wait until they can close a queue that has messages.
func TestQueueFlush(t *testing.T) {
	watchdog(t)
	ns := filemaptest.New(t)
	q, err := channel.CreateQueue(ns.Name("q"), nil)
	succeed(t, "CreateQueue", err)
	defer q.Close()
	succeed(t, "Flush with nothing to lose", q.Flush(background))
	send(t, q, "x")
	short, cancel := context.WithTimeout(background, 10*time.Millisecond)
	defer cancel()
	if err := q.Flush(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Flush alone: %v", err)
	}
	flushed := make(chan error)
	go func() { flushed <- q.Flush(background) }()
	time.Sleep(5 * time.Millisecond)
	other := openQueue(t, ns.Name("q"), nil)
	succeed(t, "Flush with another", <-flushed)
	succeed(t, "Close", other.Close())
	go func() { flushed <- q.Flush(background) }()
	time.Sleep(5 * time.Millisecond)
	expectMessage(t, q, "x")
	succeed(t, "Flush when all is received", <-flushed)
}

func init() {
	roles["hold ends"] = func(name string) error {
		q, err := channel.OpenQueue(name, nil)
		if err != nil {
			return err
		}
		if _, err = q.Reserve(background, 100); err == nil {
			_, err = q.Next(background)
		}
		say("held")
		time.Sleep(time.Hour)
		return err
	}
	roles["crowd"] = func(name string) error {
		q, err := channel.OpenQueue(name, nil)
		if err != nil {
			return err
		}
		say("here")
		_, err = q.Receive(background, nil)
		return err
	}
}

// TestQueueOwnerDies kills a process that has both ends, before others wait for
// them, and while they do.
func TestQueueOwnerDies(t *testing.T) {
	watchdog(t)
	for _, spin := range []time.Duration{channel.SpinAdaptive, channel.SpinNever, channel.SpinAlways} {
		for _, before := range []bool{true, false} {
			a, b := queue(t, &channel.QueueOptions{Spin: spin})
			send(t, a, "leased")
			other := start(t, "hold ends", a.Name())
			other.await(t, "held")
			if before {
				other.kill()
			} else {
				time.AfterFunc(10*time.Millisecond, other.kill)
			}
			var all sync.WaitGroup
			all.Go(func() { send(t, a, "next") })
			expectMessage(t, b, "leased")
			all.Wait()
			expectMessage(t, b, "next")
		}
	}
	// Who does not wait finds out, too.
	a, b := queue(t, nil)
	send(t, a, "leased")
	other := start(t, "hold ends", a.Name())
	other.await(t, "held")
	other.kill()
	succeed(t, "TrySend", a.TrySend(nil))
	if m, ok, err := b.TryReceive(nil); string(m) != "leased" || !ok || err != nil {
		t.Errorf("TryReceive = %q, %v, %v", m, ok, err)
	}
}

// TestQueuePlaces has more open a queue than there are places, and dead ones
// leave theirs.
func TestQueuePlaces(t *testing.T) {
	watchdog(t)
	a, _ := queue(t, nil)
	var open []*channel.Queue
	for {
		q, err := channel.OpenQueue(a.Name(), nil)
		if errors.Is(err, object.ErrNoSpace) {
			break
		}
		succeed(t, "OpenQueue", err)
		open = append(open, q)
	}
	if len(open) != 118 {
		t.Errorf("%d places for others", len(open))
	}
	succeed(t, "Close", open[0].Close())
	other := start(t, "crowd", a.Name())
	other.await(t, "here")
	if _, err := channel.OpenQueue(a.Name(), nil); !errors.Is(err, object.ErrNoSpace) {
		t.Errorf("OpenQueue of a crowded queue: %v", err)
	}
	other.kill()
	open[0] = openQueue(t, a.Name(), nil)
	info, err := channel.Inspect(a.Name())
	succeed(t, "Inspect", err)
	if len(info.Members) != 120 {
		t.Errorf("%d members", len(info.Members))
	}
	for _, q := range open {
		succeed(t, "Close", q.Close())
	}
}
