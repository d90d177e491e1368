package test

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
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
