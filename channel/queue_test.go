package channel_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
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

func send(t *testing.T, q *channel.Queue, message string) {
	t.Helper()
	succeed(t, "Send", q.Send(background, []byte(message)))
}

func expectMessage(t *testing.T, q *channel.Queue, want string) {
	t.Helper()
	got, err := q.Receive(background, nil)
	succeed(t, "Receive", err)
	if string(got) != want {
		t.Errorf("received %.20q, want %.20q", got, want)
	}
}

func expectEmpty(t *testing.T, q *channel.Queue) {
	t.Helper()
	if message, ok, err := q.TryReceive(nil); ok || err != nil {
		t.Errorf("TryReceive of an empty queue = %.20q, %v, %v", message, ok, err)
	}
}

// TestQueueLengths sends messages of all lengths through a small ring, so that
// they come to lie everywhere in it.
func TestQueueLengths(t *testing.T) {
	watchdog(t)
	a, b := queue(t, &channel.QueueOptions{Capacity: 4096})
	for i := range 20_000 {
		message := bytes.Repeat([]byte{byte(i)}, i*7%(a.Longest()+1))
		succeed(t, "Send", a.Send(background, message))
		expectMessage(t, b, string(message))
	}
	if err := a.Send(background, make([]byte, a.Longest()+1)); !errors.Is(err, channel.ErrTooLong) {
		t.Errorf("a message that is too long: %v", err)
	}
	if _, err := a.Reserve(background, a.Longest()+1); !errors.Is(err, channel.ErrTooLong) {
		t.Errorf("a draft that is too long: %v", err)
	}
}

func TestQueueOverflow(t *testing.T) {
	watchdog(t)
	for _, overflow := range []channel.Overflow{channel.Fail, channel.Drop} {
		a, b := queue(t, &channel.QueueOptions{Capacity: 4096, Overflow: overflow})
		sent := 0
		for range 10 {
			err := a.Send(background, make([]byte, 1000))
			if err == nil {
				sent++
			} else if overflow == channel.Drop || !errors.Is(err, channel.ErrFull) {
				t.Errorf("%v: Send to a full queue: %v", overflow, err)
			}
			if err != nil && !errors.Is(a.TrySend(make([]byte, 1000)), channel.ErrFull) {
				t.Error("TrySend to a full queue")
			}
		}
		got := 0
		for ok := true; ok; {
			_, ok, _ = b.TryReceive(nil)
			if ok {
				got++
			}
		}
		info, err := channel.Inspect(a.Name())
		succeed(t, "Inspect", err)
		lost := int(info.Rings[0].Lost)
		if got != 3 || overflow == channel.Drop && lost != 7 || overflow == channel.Fail && lost != 0 {
			t.Errorf("%v: %d received, %d lost", overflow, got, lost)
		}
	}
}

// TestQueueBlocks has a sender wait for room, and a receiver for messages, in
// each way to wait.
func TestQueueBlocks(t *testing.T) {
	watchdog(t)
	for _, spin := range []time.Duration{channel.SpinNever, channel.SpinAdaptive, time.Millisecond, channel.SpinAlways} {
		a, b := queue(t, &channel.QueueOptions{Capacity: 4096, Spin: spin})
		var all sync.WaitGroup
		all.Go(func() {
			for i := range 2000 {
				if i%500 == 0 {
					time.Sleep(2 * time.Millisecond)
				}
				if err := a.Send(background, fmt.Appendf(nil, "%0500d", i)); err != nil {
					t.Error("Send:", err)
				}
			}
		})
		for i := range 2000 {
			if i%300 == 0 {
				time.Sleep(2 * time.Millisecond)
			}
			expectMessage(t, b, fmt.Sprintf("%0500d", i))
		}
		all.Wait()
	}
}

func TestQueueContext(t *testing.T) {
	watchdog(t)
	a, b := queue(t, &channel.QueueOptions{Capacity: 4096})
	cause := errors.New("enough")
	ended, end := context.WithCancelCause(background)
	end(cause)
	send(t, a, "x")
	if m, err := b.Receive(ended, nil); string(m) != "x" || err != nil {
		t.Errorf("Receive of what is there: %q, %v", m, err)
	}
	if _, err := b.Receive(ended, nil); !errors.Is(err, cause) {
		t.Errorf("Receive: %v", err)
	}
	for err := error(nil); err == nil; {
		err = a.Send(ended, make([]byte, 1000))
		if err != nil && !errors.Is(err, cause) {
			t.Errorf("Send: %v", err)
		}
	}
	later, cancel := context.WithTimeout(background, 10*time.Millisecond)
	defer cancel()
	if err := a.Send(later, make([]byte, 1000)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Send: %v", err)
	}
}

func TestQueueInPlace(t *testing.T) {
	watchdog(t)
	a, b := queue(t, &channel.QueueOptions{Capacity: 4096})
	draft, err := a.Reserve(background, 100)
	succeed(t, "Reserve", err)
	expectEmpty(t, b)
	if len(draft.Bytes()) != 100 || draft.Commit(101) == nil {
		t.Errorf("a draft of %d bytes took 101", len(draft.Bytes()))
	}
	n := copy(draft.Bytes(), "in place")
	succeed(t, "Commit", draft.Commit(n))
	if err := draft.Commit(n); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Commit twice: %v", err)
	}

	lease, err := b.Next(background)
	succeed(t, "Next", err)
	if string(lease.Bytes()) != "in place" {
		t.Errorf("leased %q", lease.Bytes())
	}
	succeed(t, "Return", lease.Return())
	if err := lease.Release(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Release after Return: %v", err)
	}
	lease, err = a.Next(background)
	succeed(t, "Next", err)
	succeed(t, "Release", lease.Release())
	expectEmpty(t, b)

	draft, err = a.Reserve(background, 3800)
	succeed(t, "Reserve", err)
	succeed(t, "Abort", draft.Abort())
	send(t, a, "after")
	expectMessage(t, b, "after")
	for _, err := range []error{channel.Draft{}.Commit(0), channel.Draft{}.Abort(), channel.Lease{}.Release()} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("nothing was ended: %v", err)
		}
	}
}

// TestQueueLeaseKeepsOthersWaiting also has the one who waits asleep by then.
func TestQueueLeaseKeepsOthersWaiting(t *testing.T) {
	watchdog(t)
	a, b := queue(t, nil)
	send(t, a, "1")
	send(t, a, "2")
	lease, err := a.Next(background)
	succeed(t, "Next", err)
	if m, ok, err := b.TryReceive(nil); ok || err != nil {
		t.Errorf("TryReceive while another has the end: %q, %v", m, err)
	}
	got := make(chan string)
	go func() {
		m, err := b.Receive(background, nil)
		got <- fmt.Sprint(string(m), err)
	}()
	time.Sleep(5 * time.Millisecond)
	succeed(t, "Release", lease.Release())
	if m := <-got; m != "2<nil>" {
		t.Errorf("received %s", m)
	}

	draft, err := a.Reserve(background, 10)
	succeed(t, "Reserve", err)
	if err := b.TrySend(nil); !errors.Is(err, channel.ErrFull) {
		t.Errorf("TrySend while another has the end: %v", err)
	}
	sent := make(chan error)
	go func() { sent <- b.Send(background, []byte("3")) }()
	time.Sleep(5 * time.Millisecond)
	succeed(t, "Commit", draft.Commit(0))
	succeed(t, "Send", <-sent)
	expectMessage(t, a, "")
	expectMessage(t, a, "3")
}

func TestQueueBatches(t *testing.T) {
	watchdog(t)
	a, b := queue(t, &channel.QueueOptions{Capacity: 4096})
	var batch [][]byte
	for i := range 1000 {
		batch = append(batch, fmt.Appendf(nil, "%0*d", 10+i%90, i))
	}
	var all sync.WaitGroup
	all.Go(func() {
		if n, err := a.SendBatch(background, batch); n != len(batch) || err != nil {
			t.Errorf("SendBatch: %d, %v", n, err)
		}
	})
	for i := 0; i < len(batch); {
		n, err := b.Drain(background, func(m []byte) error {
			if !bytes.Equal(m, batch[i]) {
				t.Errorf("message %d is %q", i, m)
			}
			i++
			return nil
		})
		if n == 0 || err != nil {
			t.Fatal("Drain:", n, err)
		}
	}
	all.Wait()
	if n, err := a.SendBatch(background, [][]byte{nil, make([]byte, 5000), nil}); n != 1 || !errors.Is(err, channel.ErrTooLong) {
		t.Errorf("SendBatch with one that is too long: %d, %v", n, err)
	}
	send(t, a, "kept")
	stop := errors.New("stop")
	if n, err := b.Drain(background, func(m []byte) error {
		if len(m) > 0 {
			return stop
		}
		return nil
	}); n != 1 || !errors.Is(err, stop) {
		t.Errorf("Drain that stops: %d, %v", n, err)
	}
	expectMessage(t, b, "kept")
}

func TestQueueClose(t *testing.T) {
	watchdog(t)
	a, b := queue(t, &channel.QueueOptions{Capacity: 4096})
	ended := make(chan error)
	go func() { ended <- second(a.Receive(background, nil)) }()
	time.Sleep(5 * time.Millisecond)
	succeed(t, "Close", a.Close())
	if err := <-ended; !errors.Is(err, os.ErrClosed) {
		t.Errorf("a wait during Close: %v", err)
	}
	for what, err := range map[string]error{
		"Close": a.Close(), "Send": a.Send(background, nil), "Receive": second(a.Receive(background, nil)),
		"Reserve": second(a.Reserve(background, 1)), "Next": second(a.Next(background)), "TrySend": a.TrySend(nil),
		"Drain": second(a.Drain(background, nil)), "Settle": a.Settle(background),
		"SendBatch": second(a.SendBatch(background, [][]byte{nil})),
	} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s after Close: %v", what, err)
		}
	}

	// What is reserved or leased goes back.
	c := openQueue(t, b.Name(), nil)
	send(t, c, "leased")
	draft, err := c.Reserve(background, 10)
	succeed(t, "Reserve", err)
	lease, err := c.Next(background)
	succeed(t, "Next", err)
	succeed(t, "Close", c.Close())
	if !errors.Is(draft.Commit(1), os.ErrClosed) || !errors.Is(lease.Release(), os.ErrClosed) {
		t.Error("what was in place outlives the queue's handle")
	}
	send(t, b, "next")
	expectMessage(t, b, "leased")
	expectMessage(t, b, "next")
}

// TestQueueCloseInUse closes a handle that goroutines use.
func TestQueueCloseInUse(t *testing.T) {
	watchdog(t)
	a, b := queue(t, nil)
	for range 200 {
		c := openQueue(t, a.Name(), nil)
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				for c.Send(background, make([]byte, 100)) == nil {
				}
			})
			all.Go(func() {
				for second(c.Receive(background, nil)) == nil {
				}
			})
		}
		runtime.Gosched()
		succeed(t, "Close", c.Close())
		all.Wait()
	}
	for ok := true; ok; {
		_, ok, _ = b.TryReceive(nil)
	}
	send(t, a, "still")
	expectMessage(t, b, "still")
}

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
	again, created, err := channel.OpenOrCreateQueue(ns.Name("q"), &channel.QueueOptions{Capacity: 1 << 20})
	succeed(t, "OpenOrCreateQueue", err)
	if created || again.Capacity() != 8192 {
		t.Errorf("created %v, capacity %d", created, again.Capacity())
	}
	succeed(t, "Close", again.Close())
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

// TestQueueSettle is about who wants to leave with messages in the queue.
func TestQueueSettle(t *testing.T) {
	watchdog(t)
	ns := filemaptest.New(t)
	q, err := channel.CreateQueue(ns.Name("q"), nil)
	succeed(t, "CreateQueue", err)
	defer q.Close()
	succeed(t, "Settle with nothing to lose", q.Settle(background))
	send(t, q, "x")
	short, cancel := context.WithTimeout(background, 10*time.Millisecond)
	defer cancel()
	if err := q.Settle(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Settle alone: %v", err)
	}
	settled := make(chan error)
	go func() { settled <- q.Settle(background) }()
	time.Sleep(5 * time.Millisecond)
	other := openQueue(t, ns.Name("q"), nil)
	succeed(t, "Settle with another", <-settled)
	succeed(t, "Close", other.Close())
	go func() { settled <- q.Settle(background) }()
	time.Sleep(5 * time.Millisecond)
	expectMessage(t, q, "x")
	succeed(t, "Settle when all is received", <-settled)
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

func TestQueueDoesNotAllocate(t *testing.T) {
	a, b := queue(t, nil)
	buffer, message := make([]byte, 100), make([]byte, 64)
	batch := [][]byte{message, message}
	nothing := func([]byte) error { return nil }
	hot := map[string]func() error{
		"Send and Receive": func() error {
			err := a.Send(background, message)
			return errors.Join(err, second(b.Receive(background, buffer)))
		},
		"in place": func() error {
			draft, err := a.Reserve(background, 64)
			if err == nil {
				err = draft.Commit(64)
			}
			if err != nil {
				return err
			}
			lease, err := b.Next(background)
			if err == nil {
				err = lease.Release()
			}
			return err
		},
		"SendBatch and Drain": func() error {
			_, err := a.SendBatch(background, batch)
			if err == nil {
				_, err = b.Drain(background, nothing)
			}
			return err
		},
		"TryReceive": func() error {
			_, _, err := b.TryReceive(buffer)
			return err
		},
	}
	for name, do := range hot {
		allocs := testing.AllocsPerRun(1000, func() {
			if err := do(); err != nil {
				t.Error(name, err)
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}

func TestInspect(t *testing.T) {
	a, b := queue(t, nil)
	send(t, a, "one")
	send(t, a, "three")
	expectMessage(t, b, "one")
	info, err := channel.Inspect(a.Name())
	succeed(t, "Inspect", err)
	ring := info.Rings[0]
	if info.Kind != "queue" || info.Capacity != 1<<20 || len(info.Members) != 2 ||
		ring.Sent != 2 || ring.SentBytes != 8 || ring.Received != 1 || ring.ReceivedBytes != 3 || ring.Lag != 1 {
		t.Errorf("%+v", info)
	}
	if _, err := channel.Inspect(filemaptest.New(t).Name("none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Inspect of none: %v", err)
	}
}
