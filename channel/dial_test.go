package channel_test

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"testing"
	"time"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/inspect"
)

// fillBacklog leaves no room for who dials, by requests that come to nothing.
func fillBacklog(t *testing.T, name string) {
	t.Helper()
	q := openQueue(t, name, nil)
	for err := error(nil); !errors.Is(err, channel.ErrFull); {
		if err = q.TrySend([]byte("of nobody")); err != nil && !errors.Is(err, channel.ErrFull) {
			t.Fatal("TrySend:", err)
		}
	}
}

// lingering returns the name of a service whose dialers close their connections
// before these are accepted: the test ends when the last one has found out that
// it has been, or will not be.
func lingering(t *testing.T) string {
	t.Helper()
	name := filemaptest.New(t).Name("service")
	t.Cleanup(func() {
		for left := 1; left > 0; time.Sleep(time.Millisecond) {
			connections, err := inspect.List(background, name+"~c*")
			succeed(t, "List", err)
			left = len(connections)
		}
	})
	return name
}

// TestDialGivesUp is about who dialed in vain: nothing is left of it.
func TestDialGivesUp(t *testing.T) {
	watchdog(t)
	l := listener(t, filemaptest.New(t).Name("service"), nil)
	fillBacklog(t, l.Addr().String())
	for range 3 {
		ctx, cancel := context.WithTimeout(background, 10*time.Millisecond)
		_, err := channel.Dial(ctx, l.Addr().String(), nil)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Dial: %v", err)
		}
	}
	left, err := inspect.List(background, l.Addr().String()+"~c*")
	if len(left) > 0 || err != nil {
		t.Errorf("left: %v, error %v", left, err)
	}
}

// TestDialManyAtOnce has more dial than the listener's queue has places, or room.
func TestDialManyAtOnce(t *testing.T) {
	watchdog(t)
	l := listener(t, lingering(t), &channel.ListenOptions{Capacity: 4096})
	fillBacklog(t, l.Addr().String())
	const dialers, places = 140, 120
	var all sync.WaitGroup
	defer all.Wait()
	for range dialers {
		all.Go(func() {
			c, err := channel.Dial(background, l.Addr().String(), nil)
			if err != nil {
				t.Error("Dial:", err)
				_ = l.Close() // which ends what waits for this one
				return
			}
			_ = c.Close()
		})
	}
	for members := 0; members < places && !t.Failed(); time.Sleep(time.Millisecond) {
		info, err := channel.Inspect(l.Addr().String())
		succeed(t, "Inspect", err)
		members = len(info.Members)
	}
	for range dialers {
		c, err := l.Accept()
		succeed(t, "Accept", err)
		_ = c.Close()
	}
}

func init() {
	roles["listen"] = func(name string) error {
		_, err := channel.Listen(name, nil)
		say("ready")
		time.Sleep(time.Hour)
		return err
	}
}

// TestDialTheDead dials a listener that was killed while others have its queue
// open, which is full, and its mutex.
func TestDialTheDead(t *testing.T) {
	watchdog(t)
	name := lingering(t)
	victim := start(t, "listen", name)
	victim.await(t, "ready")
	dial(t, name)
	fillBacklog(t, name)
	stuck := make(chan error)
	go func() { stuck <- second(channel.Dial(background, name, nil)) }()
	waits := make(chan error)
	go func() {
		c, err := channel.Dial(background, name, &channel.DialOptions{Wait: true})
		if err == nil {
			_, _ = c.Read(make([]byte, 1)) // until it was accepted, Close would leave it to live on
			err = c.Close()
		}
		waits <- err
	}()
	time.Sleep(10 * time.Millisecond)
	victim.kill()
	if err := <-stuck; !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Dial of who died meanwhile: %v", err)
	}
	if _, err := channel.Dial(background, name, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Dial of who is dead: %v", err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() { <-ended })
	l := listener(t, name, nil) // and its queue is full of what nobody wants any more
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	succeed(t, "Dial of its successor", <-waits)
}
