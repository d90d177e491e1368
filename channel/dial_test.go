package channel_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/object"
)

// crowded returns a Listener that has as many connections to accept as it may,
// and the one that it has.
func crowded(t *testing.T) (*channel.Listener, *channel.Conn) {
	t.Helper()
	l := listener(t, filemaptest.New(t).Name("service"), &channel.ListenOptions{Backlog: 1, Capacity: 4096})
	return l, dial(t, l.Addr().String())
}

// sessions returns what there is of the sessions with a service.
func sessions(t *testing.T, service string) (all []channel.Info) {
	t.Helper()
	objects, err := inspect.List(background, service+"~s*")
	succeed(t, "List", err)
	for _, o := range objects {
		if o.Kind == object.Mapping.String() && !strings.Contains(o.Name, "~b") {
			info, err := channel.Inspect(o.Name)
			succeed(t, "Inspect", err)
			all = append(all, info)
		}
	}
	return all
}

// connections returns how many connections to a service there are.
func connections(t *testing.T, service string) (n int) {
	t.Helper()
	for _, s := range sessions(t, service) {
		n += len(s.Streams)
	}
	return n
}

// TestDialGivesUp is about dialers that the backlog has no room for: they wait,
// and leave nothing behind when they give up.
func TestDialGivesUp(t *testing.T) {
	watchdog(t)
	l, _ := crowded(t)
	for range 3 {
		ctx, cancel := context.WithTimeout(background, 10*time.Millisecond)
		_, err := channel.Dial(ctx, l.Addr().String(), nil)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Dial: %v", err)
		}
	}
	if n := connections(t, l.Addr().String()); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	for range 2 { // it is not held up by what nobody wants any more
		c, err := l.AcceptConn(background)
		succeed(t, "Accept", err)
		succeed(t, "Close", c.Close())
		dial(t, l.Addr().String())
	}
}

// TestDialManyAtOnce has more dial than the listener's queue has places, or the
// backlog room.
func TestDialManyAtOnce(t *testing.T) {
	watchdog(t)
	l, _ := crowded(t)
	const dialers = 140
	var all sync.WaitGroup
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
	for range dialers + 1 {
		c, err := l.Accept()
		succeed(t, "Accept", err)
		_ = c.Close()
	}
	all.Wait()
}

func init() {
	roles["listen"] = func(name string) error {
		_, err := channel.Listen(name, &channel.ListenOptions{Backlog: 1})
		say("ready")
		time.Sleep(time.Hour)
		return err
	}
}

// TestDialTheDead dials a listener that is killed while others wait for it, and
// have its queue open.
func TestDialTheDead(t *testing.T) {
	watchdog(t)
	name := filemaptest.New(t).Name("service")
	victim := start(t, "listen", name)
	victim.await(t, "ready")
	taken := dial(t, name) // and the backlog is full
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
	if _, err := taken.Read(make([]byte, 1)); !errors.Is(err, channel.ErrPeerGone) {
		t.Errorf("Read of what the dead had taken: %v", err)
	}
	listener(t, name, nil)
	succeed(t, "Dial of its successor", <-waits)
}
