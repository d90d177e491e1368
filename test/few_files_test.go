package test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/object"
)

// acceptFew is the role of a listener that may not open many files. It closes a
// connection that it has when it can't accept another one.
func acceptFew(arguments []string) error {
	l, err := channel.Listen(arguments[0], nil)
	if err != nil {
		return err
	}
	fmt.Println("open")
	var open []net.Conn
	for {
		c, err := l.Accept()
		if err == nil {
			_, err = c.Write([]byte("welcome"))
			open = append(open, c)
		}
		var passes interface{ Temporary() bool } // as servers ask
		if errors.Is(err, syscall.EMFILE) && errors.As(err, &passes) && passes.Temporary() {
			err = open[0].Close()
			open = open[1:]
		}
		if err != nil {
			return err
		}
	}
}

// TestAcceptOutOfFiles dials a listener that has no file descriptors left: who
// has dialed is accepted when it has.
func TestAcceptOutOfFiles(t *testing.T) {
	linuxOnly(t, "it does not limit the files of a process")
	name := filemaptest.New(t).Name("service")
	limited := []string{"-c", `ulimit -n 100; exec "$0" "$@"`, thisBinary(t), name}
	h := startHolder(t, inRole("few", "sh", limited...))
	succeed(t, "Listen", h.awaitOpen())
	for range 50 {
		c, err := channel.Dial(t.Context(), name, nil)
		keepOpen(t, c, err)
		succeed(t, "SetDeadline", c.SetDeadline(time.Now().Add(watchdog)))
		welcome := make([]byte, 7)
		if _, err := c.Read(welcome); err != nil || string(welcome) != "welcome" {
			t.Fatalf("read %q, %v", welcome, err)
		}
	}
}

// dialFew is the role of a process that dials until it may not open more files,
// and says why it can't.
func dialFew(arguments []string) error {
	for {
		c, err := channel.Dial(context.Background(), arguments[0], nil)
		if err != nil {
			fmt.Println(errors.Is(err, syscall.EMFILE), err)
			return nil
		}
		defer c.Close()
	}
}

// TestDialOutOfFiles has a process dial that runs out of file descriptors, at
// each of the places where Dial opens something.
func TestDialOutOfFiles(t *testing.T) {
	linuxOnly(t, "it does not limit the files of a process")
	name := filemaptest.New(t).Name("service")
	l, err := channel.Listen(name, &channel.ListenOptions{Capacity: 4096})
	succeed(t, "Listen", err)
	closeLater(t, l)
	for limit := 40; limit < 56; limit++ {
		limited := []string{"-c", fmt.Sprintf(`ulimit -n %d; exec "$0" "$@"`, limit), thisBinary(t), name}
		said, err := inRole("dial few", "sh", limited...).Output()
		succeed(t, "the dialer", err)
		if !bytes.HasPrefix(said, []byte("true")) {
			t.Errorf("with %d files: %s", limit, said)
		}
	}
}

// TestAcceptWithoutSpace has a listener take a connection when there is no space
// left: Accept tells it, and accepts the connection when there is.
func TestAcceptWithoutSpace(t *testing.T) {
	dir := smallSpace(t, "size=2m,nr_inodes=60")
	l, err := channel.Listen("Service", &channel.ListenOptions{Capacity: 4096, Backlog: 1})
	succeed(t, "Listen", err)
	defer closed(t, l)
	first, err := channel.Dial(t.Context(), "Service", nil)
	succeed(t, "Dial", err)
	defer closed(t, first)
	dialed := make(chan *channel.Conn, 1)
	go func() { // until the first one is accepted, the listener does not take it
		c, err := channel.Dial(t.Context(), "Service", nil)
		if err != nil {
			t.Error("Dial:", err)
		}
		dialed <- c
	}()
	for sent := uint64(0); sent < 2; time.Sleep(time.Millisecond) {
		info, err := channel.Inspect("Service")
		succeed(t, "Inspect", err)
		if len(info.Members) == 1 { // the dialer has left
			sent = info.Rings[0].Sent
		}
	}
	var files []string
	for err := error(nil); err == nil; {
		file := filepath.Join(dir, fmt.Sprint("filler", len(files)))
		if err = os.WriteFile(file, nil, 0o600); err == nil {
			files = append(files, file)
		}
	}
	accepted, err := l.AcceptConn(t.Context())
	succeed(t, "Accept", err)
	defer closed(t, accepted)
	var passing interface{ Temporary() bool }
	_, err = l.AcceptConn(t.Context())
	if !errors.Is(err, object.ErrNoSpace) || !errors.As(err, &passing) || !passing.Temporary() {
		t.Errorf("Accept without space: %v", err)
	}
	for _, file := range files {
		succeed(t, "Remove", os.Remove(file))
	}
	c := <-dialed
	for err != nil {
		if accepted, err = l.AcceptConn(t.Context()); err == nil {
			succeed(t, "Close", errors.Join(accepted.Close(), c.Close()))
		}
	}
}
