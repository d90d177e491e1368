package channel_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/object"
)

func init() {
	roles["one shot"] = func(name string) error {
		c, err := channel.Dial(background, name, &channel.DialOptions{Wait: true})
		if err != nil {
			return err
		}
		_, err = io.WriteString(c, "last words")
		return errors.Join(err, c.Close())
	}
}

// TestOneShot has processes dial, write, close and exit before the listener
// accepts anything, or is there.
func TestOneShot(t *testing.T) {
	watchdog(t)
	for _, early := range []bool{true, false} {
		name := filemaptest.New(t).Name("service")
		var l *channel.Listener
		if !early {
			l = listener(t, name, nil)
		}
		var clients []*child
		for range 5 {
			clients = append(clients, start(t, "one shot", name))
		}
		if early {
			l = listener(t, name, nil)
		}
		for _, client := range clients {
			succeed(t, "a client", client.cmd.Wait())
		}
		for range clients {
			ctx, cancel := context.WithTimeout(background, 10*time.Second)
			c, err := l.AcceptConn(ctx)
			cancel()
			succeed(t, "Accept", err)
			if got, err := io.ReadAll(c); string(got) != "last words" || err != nil {
				t.Errorf("from a process that has exited: %q, %v", got, err)
			}
			succeed(t, "Close", c.Close())
		}
	}
}

// TestBacklog counts how many connections a listener takes before they are
// accepted.
func TestBacklog(t *testing.T) {
	watchdog(t)
	for _, backlog := range []int{1, 2, 16} {
		l := listener(t, filemaptest.New(t).Name("service"), &channel.ListenOptions{Backlog: backlog, Capacity: 4096})
		for range backlog {
			dial(t, l.Addr().String())
		}
		ctx, cancel := context.WithTimeout(background, 20*time.Millisecond)
		_, err := channel.Dial(ctx, l.Addr().String(), nil)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Dial beyond a backlog of %d: %v", backlog, err)
		}
	}
}

// TestListenerKind uses the name of a listener as a queue's, and the reverse.
func TestListenerKind(t *testing.T) {
	watchdog(t)
	ns := filemaptest.New(t)
	l, q := listener(t, ns.Name("service"), nil), ns.Name("queue")
	kept, err := channel.CreateQueue(q, nil)
	succeed(t, "CreateQueue", err)
	defer kept.Close()
	service := l.Addr().String()
	for what, err := range map[string]error{
		"OpenQueue":         second(channel.OpenQueue(service, nil)),
		"OpenOrCreateQueue": third(channel.OpenOrCreateQueue(service, nil)),
		"AwaitQueue":        second(channel.AwaitQueue(background, service, nil)),
		"OpenTopic":         second(channel.OpenTopic(service, nil)),
		"Listen":            second(channel.Listen(q, nil)),
		"Dial":              second(channel.Dial(background, q, nil)),
		"Dial and wait":     second(channel.Dial(background, q, &channel.DialOptions{Wait: true})),
	} {
		if !errors.Is(err, object.ErrWrongKind) {
			t.Errorf("%s: %v", what, err)
		}
	}
	info, err := channel.Inspect(service)
	if err != nil || info.Kind != "listener" {
		t.Errorf("Inspect: %q, %v", info.Kind, err)
	}
}

func third[A, B any](_ A, _ B, err error) error { return err }

// request puts an id into a listener's queue, as a hostile process can: it has a
// queue's memory, except for the kind.
func request(t *testing.T, service string, ids ...string) {
	t.Helper()
	m, err := filemap.Open(service, nil)
	succeed(t, "Open", err)
	defer m.Close()
	v, err := m.View(0, 0)
	succeed(t, "View", err)
	defer v.Close()
	const kindAt, queueKind, listenerKind = 12, uint32(1), uint32(5)
	succeed(t, "Store", filemap.Store(v, kindAt, queueKind))
	q := openQueue(t, service, nil)
	succeed(t, "Store", filemap.Store(v, kindAt, listenerKind))
	for _, id := range ids {
		succeed(t, "Send", q.Send(background, []byte(id)))
		succeed(t, "Send", q.Send(background, []byte("some key"+id)))
	}
}

// TestHostileRequests has requests for what cannot be taken precede an honest
// one: it is not held up, and Accept returns no errors for them.
func TestHostileRequests(t *testing.T) {
	watchdog(t)
	l := listener(t, filemaptest.New(t).Name("service"), &channel.ListenOptions{Backlog: 4, Capacity: 4096})
	service := l.Addr().String()
	huge, err := filemap.Create(service+"~shuge", 1<<40, &filemap.CreateOptions{Sparse: true})
	succeed(t, "Create", err)
	defer huge.Close()
	small, err := filemap.Create(service+"~ssmall", 1, nil)
	succeed(t, "Create", err)
	defer small.Close()
	queue, err := channel.CreateQueue(service+"~squeue", nil)
	succeed(t, "CreateQueue", err)
	defer queue.Close()
	ids := []string{"", "nobody", "a\x00b", "../x", strings.Repeat("x", 3000), "huge", "small", "queue"}
	for range 10 {
		request(t, service, ids...)
	}
	began := time.Now()
	c := dial(t, service)
	_, err = fmt.Fprint(c, "honest")
	succeed(t, "Write", errors.Join(err, c.CloseWrite()))
	accepted, err := l.AcceptConn(background)
	succeed(t, "Accept", err)
	if got, err := io.ReadAll(accepted); string(got) != "honest" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
	succeed(t, "Close", accepted.Close())
	t.Logf("figures: an honest dialer behind %d hostile requests: %v", 20*len(ids), time.Since(began))
}
