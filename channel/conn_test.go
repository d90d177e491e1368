package channel_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
)

var background = context.Background()

// pair returns the two sides of a connection.
func pair(t *testing.T) (dialed, accepted *channel.Conn) {
	t.Helper()
	l := listener(t, filemaptest.New(t).Name("service"), nil)
	return connect(t, l)
}

func listener(t *testing.T, name string, opts *channel.ListenOptions) *channel.Listener {
	t.Helper()
	l, err := channel.Listen(name, opts)
	succeed(t, "Listen", err)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func dial(t *testing.T, name string) *channel.Conn {
	t.Helper()
	c, err := channel.Dial(background, name, nil)
	succeed(t, "Dial", err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func connect(t *testing.T, l *channel.Listener) (dialed, accepted *channel.Conn) {
	t.Helper()
	dialed = dial(t, l.Addr().String())
	accepted, err := l.AcceptConn(background)
	succeed(t, "Accept", err)
	t.Cleanup(func() { _ = accepted.Close() })
	return dialed, accepted
}

// TestConnBytes sends what does not fit at once, both ways, in pieces of random
// lengths, read in others.
func TestConnBytes(t *testing.T) {
	watchdog(t)
	a, b := pair(t)
	var all sync.WaitGroup
	for i, way := range [][2]*channel.Conn{{a, b}, {b, a}} {
		all.Go(func() {
			source := rand.New(rand.NewPCG(uint64(i), 1))
			for at := 0; at < 3<<20; {
				p := make([]byte, source.IntN(100_000))
				for k := range p {
					p[k] = byte((at + k) * 7)
				}
				n, err := way[0].Write(p)
				if err != nil || n != len(p) {
					t.Errorf("Write: %d, %v", n, err)
				}
				at += n
			}
			if err := way[0].CloseWrite(); err != nil {
				t.Error("CloseWrite:", err)
			}
		})
		all.Go(func() {
			source := rand.New(rand.NewPCG(uint64(i), 2))
			for at := 0; ; {
				p := make([]byte, 1+source.IntN(50_000))
				n, err := way[1].Read(p)
				for k := range n {
					if p[k] != byte((at+k)*7) {
						t.Errorf("byte %d is wrong", at+k)
						return
					}
				}
				at += n
				if err == io.EOF && at >= 3<<20 {
					return
				}
				if err != nil {
					t.Errorf("Read after %d bytes: %v", at, err)
					return
				}
			}
		})
	}
	all.Wait()
}

// TestConnSpins has both sides watch a small ring all the time, so that they
// meet at each step.
func TestConnSpins(t *testing.T) {
	watchdog(t)
	l := listener(t, filemaptest.New(t).Name("service"), &channel.ListenOptions{Capacity: 4096, Spin: channel.SpinAlways})
	a, err := channel.Dial(background, l.Addr().String(), &channel.DialOptions{Spin: channel.SpinAlways})
	succeed(t, "Dial", err)
	defer a.Close()
	b, err := l.AcceptConn(background)
	succeed(t, "Accept", err)
	defer b.Close()
	const pieces, size = 100_000, 700
	written := make(chan error, 1)
	go func() {
		for range pieces {
			if _, err := a.Write(make([]byte, size)); err != nil {
				written <- err
				return
			}
		}
		written <- a.CloseWrite()
	}()
	n, err := io.Copy(io.Discard, b)
	if n != pieces*size || err != nil {
		t.Errorf("read %d bytes, %v", n, err)
	}
	succeed(t, "Write", <-written)
}

func TestConnClose(t *testing.T) {
	watchdog(t)
	a, b := pair(t)
	_, err := a.Write([]byte("last words"))
	succeed(t, "Write", err)
	succeed(t, "Close", a.Close())
	if got, err := io.ReadAll(b); string(got) != "last words" || err != nil {
		t.Errorf("ReadAll = %q, %v", got, err)
	}
	if _, err := b.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("Write to who has closed: %v", err)
	}
	for what, err := range map[string]error{
		"Close": a.Close(), "Write": second(a.Write([]byte("x"))), "Read": second(a.Read(make([]byte, 1))),
		"CloseWrite": a.CloseWrite(), "SetDeadline": a.SetDeadline(time.Now()),
	} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s after Close: %v", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestConnHalfClose is a question that ends before its answer begins.
func TestConnHalfClose(t *testing.T) {
	watchdog(t)
	a, b := pair(t)
	go func() {
		question, _ := io.ReadAll(b)
		_, _ = b.Write([]byte(strings.ToUpper(string(question))))
		_ = b.CloseWrite()
	}()
	_, err := a.Write([]byte("question"))
	succeed(t, "Write", err)
	succeed(t, "CloseWrite", a.CloseWrite())
	if _, err := a.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write after CloseWrite: %v", err)
	}
	if answer, err := io.ReadAll(a); string(answer) != "QUESTION" || err != nil {
		t.Errorf("the answer is %q, %v", answer, err)
	}
}

func init() {
	roles["echo"] = func(name string) error {
		l, err := channel.Listen(name, nil)
		if err != nil {
			return err
		}
		say("ready")
		for {
			c, err := l.Accept()
			if err != nil {
				return err
			}
			go func() { _, _ = io.Copy(c, c) }()
		}
	}
	roles["deaf"] = func(name string) error {
		l, err := channel.Listen(name, nil)
		if err != nil {
			return err
		}
		say("ready")
		c, err := l.AcceptConn(background)
		if err != nil {
			return err
		}
		_, err = c.Write([]byte("bye"))
		say("accepted")
		time.Sleep(time.Hour)
		return err
	}
}

// TestConnDeath kills the other side: what it wrote is read, and then comes a
// reset, for who reads and for who writes.
func TestConnDeath(t *testing.T) {
	watchdog(t)
	for _, sleeps := range []bool{true, false} {
		name := filemaptest.New(t).Name("service")
		other := start(t, "deaf", name)
		other.await(t, "ready")
		c := dial(t, name)
		other.await(t, "accepted")
		ended := make(chan error, 2)
		go func() {
			got, err := io.ReadAll(c)
			if string(got) != "bye" {
				t.Errorf("it read %q", got)
			}
			ended <- err
		}()
		go func() {
			_, err := c.Write(make([]byte, 10<<20))
			ended <- err
		}()
		if sleeps {
			time.Sleep(50 * time.Millisecond)
		}
		other.kill()
		for range 2 {
			err := <-ended
			text := fmt.Sprintf("the other side's process %d is gone", other.cmd.Process.Pid)
			if !errors.Is(err, syscall.ECONNRESET) || !errors.Is(err, channel.ErrPeerGone) ||
				!strings.HasSuffix(err.Error(), text) {
				t.Errorf("after the other's death: %v, want %q", err, text)
			}
		}
		succeed(t, "Close", c.Close())
	}
}

// TestListenerDeath is about who dialed and was never accepted, and about who
// dials after a restart.
func TestListenerDeath(t *testing.T) {
	watchdog(t)
	name := filemaptest.New(t).Name("service")
	if _, err := channel.Dial(background, name, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Dial without a listener: %v", err)
	}
	first := start(t, "deaf", name)
	first.await(t, "ready")
	if _, err := channel.Listen(name, nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Listen twice: %v", err)
	}
	accepted, waiting := dial(t, name), dial(t, name)
	first.await(t, "accepted")
	first.kill()
	for _, c := range []*channel.Conn{accepted, waiting} {
		if _, err := io.ReadAll(c); !errors.Is(err, channel.ErrPeerGone) {
			t.Errorf("after the listener's death: %v", err)
		}
	}
	second := start(t, "echo", name)
	second.await(t, "ready")
	c := dial(t, name)
	_, err := c.Write([]byte("again"))
	succeed(t, "Write", err)
	_, err = io.ReadFull(c, make([]byte, 5))
	succeed(t, "Read", err)
}

// TestDialWaits dials before there is a listener.
func TestDialWaits(t *testing.T) {
	watchdog(t)
	name := filemaptest.New(t).Name("service")
	short, cancel := context.WithTimeout(background, 30*time.Millisecond)
	defer cancel()
	if _, err := channel.Dial(short, name, &channel.DialOptions{Wait: true}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Dial without a listener: %v", err)
	}
	dialed := make(chan error)
	go func() {
		c, err := channel.Dial(background, name, &channel.DialOptions{Wait: true})
		if err == nil {
			_, err = c.Write([]byte("early"))
			err = errors.Join(err, c.Close())
		}
		dialed <- err
	}()
	l := listener(t, name, nil)
	succeed(t, "Dial", <-dialed)
	c, err := l.AcceptConn(background)
	succeed(t, "Accept", err)
	if got, err := io.ReadAll(c); string(got) != "early" || err != nil {
		t.Errorf("from who has closed already: %q, %v", got, err)
	}
	succeed(t, "Close", c.Close())
	if n := connections(t, name); n > 0 {
		t.Errorf("%d connections are left", n)
	}
}

// TestListenerClose resets who was not accepted, ends Accept, and leaves who was
// accepted alone.
func TestListenerClose(t *testing.T) {
	watchdog(t)
	l := listener(t, filemaptest.New(t).Name("service"), nil)
	a, b := connect(t, l)
	waiting := dial(t, l.Addr().String())
	succeed(t, "Close", l.Close())
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after Close: %v", err)
	}
	if _, err := io.ReadAll(waiting); err != nil {
		t.Errorf("who was not accepted: %v, want io.EOF", err)
	}
	_, err := a.Write([]byte("on"))
	succeed(t, "Write", err)
	_, err = io.ReadFull(b, make([]byte, 2))
	succeed(t, "Read", err)
	if _, err := channel.Dial(background, l.Addr().String(), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Dial after Close: %v", err)
	}
}

func TestAcceptEnds(t *testing.T) {
	watchdog(t)
	l := listener(t, filemaptest.New(t).Name("service"), nil)
	ctx, cancel := context.WithCancelCause(background)
	cause := errors.New("enough")
	go func() {
		time.Sleep(10 * time.Millisecond)
		cancel(cause)
	}()
	if _, err := l.AcceptConn(ctx); !errors.Is(err, cause) {
		t.Errorf("Accept after its context: %v", err)
	}
	closed := make(chan error)
	go func() {
		time.Sleep(10 * time.Millisecond)
		closed <- l.Close()
	}()
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept during Close: %v", err)
	}
	succeed(t, "Close", <-closed)
}

// TestManyConns has many connections at once, from several goroutines.
func TestManyConns(t *testing.T) {
	watchdog(t)
	l := listener(t, filemaptest.New(t).Name("service"), &channel.ListenOptions{Capacity: 4096})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(c, c)
				_ = c.Close()
			}()
		}
	}()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			var open []*channel.Conn
			for i := range 25 {
				c, err := channel.Dial(background, l.Addr().String(), nil)
				if err != nil {
					t.Error("Dial:", err)
					return
				}
				open = append(open, c)
				_, _ = fmt.Fprintf(c, "%8d", i)
			}
			for i, c := range open {
				got := make([]byte, 8)
				if _, err := io.ReadFull(c, got); err != nil || string(got) != fmt.Sprintf("%8d", i) {
					t.Errorf("connection %d: %q, %v", i, got, err)
				}
				_ = c.Close()
			}
		})
	}
	all.Wait()
}

// TestHTTP runs net/http over it, unchanged except for Listen and Dial.
func TestHTTP(t *testing.T) {
	watchdog(t)
	l := listener(t, filemaptest.New(t).Name("web"), nil)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %d", r.URL.Path, len(body))
	})}
	go func() { _ = server.Serve(l) }()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return channel.Dial(ctx, l.Addr().String(), nil)
	}}
	client := &http.Client{Transport: transport}
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			body := strings.NewReader(strings.Repeat("x", i*50_000))
			response, err := client.Post("http://filemap/there", "text/plain", body)
			if err != nil {
				t.Error(err)
				return
			}
			defer response.Body.Close()
			got, err := io.ReadAll(response.Body)
			if want := fmt.Sprintf("/there %d", i*50_000); string(got) != want || err != nil {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
		})
	}
	all.Wait()
	transport.CloseIdleConnections()
	succeed(t, "Close", server.Close())
}

func TestConnDeadlineMoves(t *testing.T) {
	watchdog(t)
	a, _ := pair(t)
	succeed(t, "SetReadDeadline", a.SetReadDeadline(time.Now().Add(time.Hour)))
	ended := make(chan error)
	go func() { ended <- second(a.Read(make([]byte, 1))) }()
	time.Sleep(5 * time.Millisecond)
	succeed(t, "SetReadDeadline", a.SetReadDeadline(time.Now()))
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Read: %v", err)
	}
}

// TestWriteAfterDeath writes to a process that was killed: an error says so, at
// once where a read has noticed before, and soon where nothing has.
func TestWriteAfterDeath(t *testing.T) {
	watchdog(t)
	for _, reads := range []bool{true, false} {
		name := filemaptest.New(t).Name("service")
		other := start(t, "deaf", name)
		other.await(t, "ready")
		c := dial(t, name)
		other.await(t, "accepted")
		_, err := c.Write([]byte("alive"))
		succeed(t, "Write", err)
		other.kill()
		if reads {
			if _, err := io.ReadAll(c); !errors.Is(err, channel.ErrPeerGone) {
				t.Errorf("Read: %v", err)
			}
		} else {
			time.Sleep(50 * time.Millisecond)
		}
		if n, err := c.Write([]byte("dead")); n > 0 || !errors.Is(err, channel.ErrPeerGone) {
			t.Errorf("Write after the other's death: %d, %v", n, err)
		}
	}
}
