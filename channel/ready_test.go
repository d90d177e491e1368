package channel_test

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/waitable"
)

// readyCase is a handle that something can be received from.
type readyCase struct {
	object waitable.Object
	put    func() error // by another handle
	take   func() error
	close  func() error
}

var readyCases = map[string]func(*testing.T) readyCase{
	"queue": func(t *testing.T) readyCase {
		a, b := queue(t, nil)
		return readyCase{
			b.Ready(), func() error { return a.Send(background, []byte("message")) },
			func() error { return second(b.Receive(ended(), nil)) }, b.Close,
		}
	},
	"subscription": func(t *testing.T) readyCase {
		to := topic(t, nil)
		s := subscribe(t, to, 0)
		return readyCase{
			s.Ready(), func() error { return to.Publish(background, []byte("message")) },
			func() error { return second(s.Receive(ended(), nil)) }, s.Close,
		}
	},
	"latest": func(t *testing.T) readyCase {
		a, b := latest(t, 8)
		succeed(t, "Write", a.Write(make([]byte, 8)))
		return readyCase{
			b.Ready(1), func() error { return a.Write(make([]byte, 8)) },
			func() error { return second(b.Wait(ended(), 1, make([]byte, 8))) }, b.Close,
		}
	},
	"conn": func(t *testing.T) readyCase {
		a, b := pair(t)
		return readyCase{
			b.Ready(), func() error { return second(a.Write([]byte("message"))) },
			func() error { return second(b.Read(make([]byte, 8))) }, b.Close,
		}
	},
	"closed conn": func(t *testing.T) readyCase {
		a, b := pair(t)
		return readyCase{b.Ready(), a.Close, func() error {
			if _, err := b.Read(make([]byte, 8)); err != io.EOF {
				return errors.Join(errors.New("not at its end"), err)
			}
			return nil
		}, b.Close}
	},
	"listener": func(t *testing.T) readyCase {
		l := listener(t, filemaptest.New(t).Name("service"), nil)
		return readyCase{
			l.Ready(), func() error {
				c, err := channel.Dial(background, l.Addr().String(), nil)
				if err == nil {
					t.Cleanup(func() { _ = c.Close() })
				}
				return err
			}, func() error {
				c, err := l.AcceptConn(background)
				if err == nil {
					t.Cleanup(func() { _ = c.Close() })
				}
				return err
			}, l.Close,
		}
	},
}

func ended() context.Context {
	ctx, cancel := context.WithCancel(background)
	cancel()
	return ctx
}

// TestReady waits for each kind together with an event and a mutex that is taken.
func TestReady(t *testing.T) {
	for name, prepare := range readyCases {
		t.Run(name, func(t *testing.T) {
			watchdog(t)
			event, mutex := unsignaled(t)
			c := prepare(t)
			wait := func(ctx context.Context) (int, error) {
				result, err := waitable.Any(ctx, event, c.object, mutex)
				return result.Index, err
			}
			if _, err := wait(ended()); !errors.Is(err, context.Canceled) {
				t.Errorf("Any of nothing that is signaled: %v", err)
			}
			goroutines := runtime.NumGoroutine()
			after, cancel := context.WithTimeout(background, 20*time.Millisecond)
			defer cancel()
			if _, err := wait(after); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Any of nothing that is signaled: %v", err)
			}
			go func() {
				time.Sleep(20 * time.Millisecond) // the wait sleeps
				if err := event.Set(); err != nil {
					t.Error(err)
				}
			}()
			if i, err := wait(background); err != nil || i != 0 {
				t.Errorf("Any, when the event is set: %d, %v", i, err)
			}
			for range 1000 { // the goroutine above is about to end
				if runtime.NumGoroutine() <= goroutines {
					break
				}
				time.Sleep(time.Millisecond)
			}
			if now := runtime.NumGoroutine(); now > goroutines {
				t.Errorf("%d goroutines before the waits, %d after them", goroutines, now)
			}

			put := make(chan error)
			go func() {
				time.Sleep(20 * time.Millisecond)
				put <- c.put()
			}()
			for range 2 { // nothing is taken by that
				if i, err := wait(background); err != nil || i != 1 {
					t.Errorf("Any, when there is something: %d, %v", i, err)
				}
			}
			if _, err := waitable.All(background, c.object); err != nil {
				t.Errorf("All: %v", err)
			}
			succeed(t, "put", <-put)
			succeed(t, "receive", c.take())
		})
	}
}

// unsignaled returns an event and a mutex, which is locked.
func unsignaled(t *testing.T) (*waitable.Event, *waitable.Mutex) {
	t.Helper()
	event, err := waitable.CreateEvent("", nil)
	succeed(t, "CreateEvent", err)
	t.Cleanup(func() { _ = event.Close() })
	mutex, err := waitable.CreateMutex("", nil)
	succeed(t, "CreateMutex", err)
	t.Cleanup(func() { _ = mutex.Close() })
	_, err = mutex.Lock(background)
	succeed(t, "Lock", err)
	return event, mutex
}

// TestReadyClosed closes the handle of each kind before and during a wait.
func TestReadyClosed(t *testing.T) {
	for name, prepare := range readyCases {
		t.Run(name, func(t *testing.T) {
			watchdog(t)
			event, _ := unsignaled(t)
			c := prepare(t)
			closed := make(chan error)
			go func() {
				time.Sleep(20 * time.Millisecond) // the wait sleeps
				closed <- c.close()
			}()
			if _, err := waitable.Any(background, event, c.object); !errors.Is(err, os.ErrClosed) {
				t.Errorf("Any during Close: %v", err)
			}
			if _, err := waitable.Any(ended(), event, c.object); !errors.Is(err, os.ErrClosed) {
				t.Errorf("Any after Close: %v", err)
			}
			succeed(t, "Close", <-closed)
		})
	}
}

// TestReadyToSeveral has one process wait for a queue's message that another one
// then receives: the bell's ring is passed on to the receiver, which sleeps as well.
func TestReadyToSeveral(t *testing.T) {
	watchdog(t)
	a, b := queue(t, &channel.QueueOptions{Spin: channel.SpinNever})
	sent, received := make(chan error), make(chan error)
	for range 20 {
		go func() { received <- second(b.Receive(background, nil)) }()
		go func() {
			time.Sleep(time.Millisecond)
			sent <- a.Send(background, nil)
		}()
		short, cancel := context.WithTimeout(background, 20*time.Millisecond)
		if _, err := waitable.Any(short, a.Ready()); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err) // unless the receiver was first
		}
		cancel()
		succeed(t, "Receive", <-received)
		succeed(t, "Send", <-sent) // before the queue is closed
	}
}

// TestReadyToTakeAgain waits for a message that was given back. The wait does not
// count among its takes.
func TestReadyToTakeAgain(t *testing.T) {
	watchdog(t)
	a, b := queue(t, nil)
	succeed(t, "Send", a.Send(background, []byte("message")))
	taken, err := b.Take(background)
	succeed(t, "Take", err)
	if _, err := waitable.Any(ended(), a.Ready()); !errors.Is(err, context.Canceled) {
		t.Errorf("Any, while the message is in hand: %v", err)
	}
	returned := make(chan error)
	go func() {
		time.Sleep(20 * time.Millisecond) // the wait sleeps
		returned <- taken.Return()
	}()
	for range 2 {
		if _, err := waitable.Any(background, a.Ready()); err != nil {
			t.Errorf("Any, when the message was given back: %v", err)
		}
	}
	succeed(t, "Return", <-returned)
	taken, err = a.Take(background)
	succeed(t, "Take", err)
	if taken.Takes() != 1 {
		t.Errorf("the message was taken %d times before, want once", taken.Takes())
	}
	succeed(t, "Done", taken.Done())
	if _, err := waitable.Any(ended(), a.Ready(), b.Ready()); !errors.Is(err, context.Canceled) {
		t.Errorf("Any of an empty queue: %v", err)
	}
}

func init() {
	roles["lease"] = func(name string) error {
		q, err := channel.OpenQueue(name, nil)
		if err != nil {
			return err
		}
		if _, err := q.Next(background); err != nil {
			return err
		}
		say("leased")
		time.Sleep(time.Hour)
		return q.Close()
	}
}

// TestReadyByDeath waits for a message that another process has until it dies, and
// for a connection whose other side dies.
func TestReadyByDeath(t *testing.T) {
	t.Run("queue", func(t *testing.T) {
		watchdog(t)
		q, _ := queue(t, nil)
		succeed(t, "Send", q.Send(background, []byte("message")))
		victim := start(t, "lease", q.Name())
		victim.await(t, "leased")
		if _, err := waitable.Any(ended(), q.Ready()); !errors.Is(err, context.Canceled) {
			t.Errorf("Any, while another process has the message: %v", err)
		}
		go victim.kill()
		if _, err := waitable.Any(background, q.Ready()); err != nil {
			t.Errorf("Any, when the other process is dead: %v", err)
		}
		expectMessage(t, q, "message")
	})
	t.Run("conn", func(t *testing.T) {
		watchdog(t)
		name := filemaptest.New(t).Name("service")
		victim := start(t, "deaf", name)
		victim.await(t, "ready")
		c := dial(t, name)
		victim.await(t, "accepted")
		succeed(t, "Read", second(io.ReadFull(c, make([]byte, len("bye")))))
		go victim.kill()
		event, _ := unsignaled(t)
		if result, err := waitable.Any(background, event, c.Ready()); err != nil || result.Index != 1 {
			t.Errorf("Any, when the other side is dead: %d, %v", result.Index, err)
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, channel.ErrPeerGone) {
			t.Errorf("Read: %v", err)
		}
	})
}
