package channels

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"
)

// network is a way to make connections: what messages, gRPC and HTTP run over.
type network struct {
	prepare func() error // as a contestant's; or nil
	listen  func(name string) (net.Listener, error)
	dial    func(ctx context.Context, name string) (net.Conn, error)
}

var unixSocket = network{
	prepare: func() error {
		l, err := net.Listen("unix", besides("prepare"))
		if err != nil {
			return fmt.Errorf("%w unix sockets: %w", errNeeds, err)
		}
		return l.Close()
	},
	listen: func(name string) (net.Listener, error) { return net.Listen("unix", besides(name)) },
	dial: func(ctx context.Context, name string) (net.Conn, error) {
		return dialPatiently(ctx, "unix", func() (string, error) { return besides(name), nil })
	},
}

// tcpLoopback has the system choose a port, which the server writes to a file.
var tcpLoopback = network{
	listen: func(name string) (net.Listener, error) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		unfinished := besides(name + "-unfinished")
		return l, errors.Join(os.WriteFile(unfinished, []byte(l.Addr().String()), 0o600),
			os.Rename(unfinished, besides(name)))
	},
	dial: func(ctx context.Context, name string) (net.Conn, error) {
		return dialPatiently(ctx, "tcp", func() (string, error) {
			address, err := os.ReadFile(besides(name))
			return string(address), err
		})
	},
}

// besides returns the path of a file beside the objects of this run, in a
// child, too.
func besides(name string) string { return filepath.Join(os.Getenv("FILEMAP_DIR"), name) }

// addressOf finds out where the server listens, as soon as it does.
type addressOf func() (string, error)

// patience is how long one end waits for the other to begin.
const patience = 10 * time.Second

// dialPatiently waits for the server to listen.
func dialPatiently(ctx context.Context, kind string, address addressOf) (net.Conn, error) {
	const pause = time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		conn, err := dialOnce(ctx, kind, address)
		if err == nil {
			return conn, nil
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(pause):
		}
	}
}

func dialOnce(ctx context.Context, kind string, address addressOf) (net.Conn, error) {
	where, err := address()
	if err != nil {
		return nil, err
	}
	return new(net.Dialer).DialContext(ctx, kind, where)
}

// connect returns a connection between the two processes.
func (n network) connect(e end, name string) (net.Conn, error) {
	if e == clientEnd {
		return n.dial(background, name)
	}
	l, err := n.listen(name)
	if err != nil {
		return nil, err
	}
	conn, err := l.Accept()
	return conn, errors.Join(err, l.Close())
}

// contestant returns one that takes the network.
func (n network) contestant(c contestant) contestant {
	if n.prepare != nil {
		c.prepare = func() (program string, err error) { return "", n.prepare() }
	}
	return c
}

// framed sends messages over a connection.
func framed(name string, n network) contestant {
	return n.contestant(contestant{name: name, open: n.openFramed}).
		in(setup, n.openSetup).
		in(bulk, n.openFramed)
}

func (n network) openFramed(e end, name string) (messenger, error) {
	conn, err := n.connect(e, name)
	if err != nil {
		return nil, err
	}
	return newFrames(conn, conn, conn), nil
}

// lengthSize is the size of what stands before each message of a byte stream.
const lengthSize = 4

// copied is how long a message is at most that is copied behind its length. A
// longer one is sent from where it is.
const copied = 16 << 10

// frames are messages on byte streams, each with its length before it. A message
// is sent by one Write, or writev; nothing waits for others that might follow.
// What is received is buffered, so that a short message takes one Read.
type frames struct {
	w     io.Writer
	r     *bufio.Reader
	out   []byte
	parts [2][]byte
	left  net.Buffers
	done  []io.Closer
}

func newFrames(r io.Reader, w io.Writer, done ...io.Closer) *frames {
	return &frames{w: w, r: bufio.NewReaderSize(r, 64<<10), done: done}
}

func (f *frames) Send(p []byte) error {
	f.out = binary.LittleEndian.AppendUint32(f.out[:0], uint32(len(p)))
	if len(p) > copied {
		f.parts = [2][]byte{f.out, p}
		f.left = f.parts[:]
		_, err := f.left.WriteTo(f.w)
		return err
	}
	f.out = append(f.out, p...)
	_, err := f.w.Write(f.out)
	return err
}

func (f *frames) Receive(buf []byte) ([]byte, error) {
	head, err := f.r.Peek(lengthSize)
	if err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint32(head)
	if uint64(n) > uint64(len(buf)) {
		return nil, fmt.Errorf("a message of %d bytes for a buffer of %d", n, len(buf))
	}
	if _, err := f.r.Discard(lengthSize); err != nil {
		return nil, err
	}
	_, err = io.ReadFull(f.r, buf[:n])
	return buf[:n], err
}

func (f *frames) Close() error {
	var errs []error
	for _, c := range f.done {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
