package channel_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
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
	opts := &channel.QueueOptions{Overflow: channel.Overwrite}
	if _, err := channel.CreateQueue(`Local\X`, opts); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("CreateQueue that overwrites: %v", err)
	}
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
		"Drain": second(a.Drain(background, nil)), "Flush": a.Flush(background),
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
