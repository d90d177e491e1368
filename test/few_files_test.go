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
	"github.com/filemap-go/filemap/waitable"
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

// dialFew is the role of a process that may not open many files. It says whether it can
// dial, and whether that is why it can't.
func dialFew(arguments []string) error {
	c, err := channel.Dial(context.Background(), arguments[0], nil)
	if err != nil {
		fmt.Println(errors.Is(err, syscall.EMFILE), err)
		return nil
	}
	for range 5 { // which takes no more files
		c, err := channel.Dial(context.Background(), arguments[0], nil)
		if err != nil {
			return err
		}
		if err := c.Close(); err != nil {
			return err
		}
	}
	fmt.Println("dialed")
	return c.Close()
}

// TestDialOutOfFiles has a process dial that runs out of file descriptors, at
// each of the places where Dial opens something.
func TestDialOutOfFiles(t *testing.T) {
	linuxOnly(t, "it does not limit the files of a process")
	name := filemaptest.New(t).Name("service")
	l, err := channel.Listen(name, &channel.ListenOptions{Capacity: 4096})
	succeed(t, "Listen", err)
	closeLater(t, l)
	dialed := 0
	for limit := 12; limit < 50 && dialed < 3; limit++ {
		limited := []string{"-c", fmt.Sprintf(`ulimit -n %d; exec "$0" "$@"`, limit), thisBinary(t), name}
		said, err := inRole("dial few", "sh", limited...).Output()
		succeed(t, "the dialer", err)
		switch {
		case string(said) == "dialed\n":
			dialed++
		case dialed > 0 || !bytes.HasPrefix(said, []byte("true")):
			t.Errorf("with %d files: %s", limit, said)
		}
	}
	if dialed == 0 {
		t.Error("it could never dial")
	}
}

// TestAcceptWithoutSpace has a listener take the first connection of a process when there
// is no space left: Accept tells it, and accepts the connection when there is.
func TestAcceptWithoutSpace(t *testing.T) {
	dir := smallSpace(t, "size=2m,nr_inodes=60")
	l, err := channel.Listen("Service", &channel.ListenOptions{Capacity: 4096})
	succeed(t, "Listen", err)
	defer closed(t, l)
	place, err := waitable.CreateMutex("Service~2", nil) // otherwise the dialer makes and removes it
	keepOpen(t, place, err)
	told := 0
	for free := range 12 { // the dialer needs some itself
		files := fillAllBut(t, dir, free)
		dialed := make(chan error, 1)
		ctx, cancel := deadline()
		var c *channel.Conn
		dialing, stop := context.WithCancel(ctx)
		go func() {
			var err error
			c, err = channel.Dial(ctx, "Service", nil)
			dialed <- err
			stop()
		}()
		accepted, err := l.AcceptConn(dialing)
		var passing interface{ Temporary() bool }
		if errors.Is(err, object.ErrNoSpace) && errors.As(err, &passing) && passing.Temporary() {
			told++
		}
		for _, file := range files {
			succeed(t, "Remove", os.Remove(file))
		}
		if err := <-dialed; err == nil {
			for accepted == nil {
				accepted, _ = l.AcceptConn(ctx)
			}
			succeed(t, "Close", errors.Join(accepted.Close(), c.Close()))
		} else if !errors.Is(err, object.ErrNoSpace) {
			t.Errorf("Dial with %d files left: %v", free, err)
		}
		cancel()
		awaitNoSessions(t, dir)
	}
	if told == 0 {
		t.Error("no Accept failed for lack of space")
	}
}

// fillAllBut makes files until only so many more can be made.
func fillAllBut(t *testing.T, dir string, free int) (files []string) {
	t.Helper()
	for err := error(nil); err == nil; {
		file := filepath.Join(dir, fmt.Sprint("filler", len(files)))
		if err = os.WriteFile(file, nil, 0o600); err == nil {
			files = append(files, file)
		}
	}
	for range free {
		succeed(t, "Remove", os.Remove(files[len(files)-1]))
		files = files[:len(files)-1]
	}
	return files
}

// awaitNoSessions waits until the sessions of a service have ended.
func awaitNoSessions(t *testing.T, dir string) {
	t.Helper()
	for end := time.Now().Add(watchdog); ; time.Sleep(10 * time.Millisecond) {
		left, err := filepath.Glob(filepath.Join(dir, "*~s*"))
		if succeed(t, "Glob", err); len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("left: %v", left)
		}
	}
}
