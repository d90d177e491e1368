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

// fillBacklog dials until nobody else can without being accepted.
func fillBacklog(t *testing.T, name string) (waiting int) {
	t.Helper()
	for {
		ctx, cancel := context.WithTimeout(background, 100*time.Millisecond)
		c, err := channel.Dial(ctx, name, nil)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			return waiting
		}
		succeed(t, "Dial", err)
		t.Cleanup(func() { _ = c.Close() })
		waiting++
	}
}

// TestDialGivesUp is about who dialed in vain: nothing is left of it.
func TestDialGivesUp(t *testing.T) {
	watchdog(t)
	l := listener(t, filemaptest.New(t).Name("service"), &channel.ListenOptions{Capacity: 4096, Backlog: 1})
	waiting := fillBacklog(t, l.Addr().String())
	left, err := inspect.List(l.Addr().String() + "~c*")
	succeed(t, "List", err)
	mappings := 0
	for _, o := range left {
		if o.Size > 0 {
			mappings++
		}
	}
	if mappings != waiting {
		t.Errorf("%d connections wait to be accepted, and %d are there", waiting, mappings)
	}
}

// TestDialManyAtOnce has more dial than the listener's queue has places, or room.
func TestDialManyAtOnce(t *testing.T) {
	watchdog(t)
	l := listener(t, filemaptest.New(t).Name("service"), &channel.ListenOptions{Capacity: 4096, Backlog: 1})
	waiting := fillBacklog(t, l.Addr().String())
	const more = 200
	var all sync.WaitGroup
	for range more {
		all.Go(func() {
			c, err := channel.Dial(background, l.Addr().String(), nil)
			if err != nil {
				t.Error("Dial:", err)
				return
			}
			_ = c.Close()
		})
	}
	for members := 0; members < 120; time.Sleep(time.Millisecond) { // that is all of the places
		info, err := channel.Inspect(l.Addr().String())
		succeed(t, "Inspect", err)
		members = len(info.Members)
	}
	for range waiting + more {
		c, err := l.Accept()
		succeed(t, "Accept", err)
		_ = c.Close()
	}
	all.Wait()
}

func init() {
	roles["listen"] = func(name string) error {
		_, err := channel.Listen(name, &channel.ListenOptions{Capacity: 4096, Backlog: 1})
		say("ready")
		time.Sleep(time.Hour)
		return err
	}
}

// TestDialTheDead dials a listener that was killed while connections waited to be
// accepted, which keep its queue and its mutex, and no room.
func TestDialTheDead(t *testing.T) {
	watchdog(t)
	name := filemaptest.New(t).Name("service")
	victim := start(t, "listen", name)
	victim.await(t, "ready")
	fillBacklog(t, name)
	stuck := make(chan error)
	go func() { stuck <- second(channel.Dial(background, name, nil)) }()
	waits := make(chan error)
	go func() {
		c, err := channel.Dial(background, name, &channel.DialOptions{Wait: true})
		if err == nil {
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
	l := listener(t, name, nil) // and its queue is full of what nobody wants any more
	go func() {
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
