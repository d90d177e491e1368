package test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
)

// Programs that connect for one message: they dial, write, close and exit. A board
// in shared memory tells which of them have closed their connection, and which
// messages the server has read.

// shotBoard is the board. An opened mapping may be longer than it was made.
type shotBoard struct {
	wrong   *atomic.Uint64 // messages that were cut or changed
	clients []shotRecord   // by number
}

type shotRecord struct {
	closed atomic.Uint64 // 1 when the client's Close has returned nil
	read   atomic.Uint64 // how often the server has read its message
}

const shotRecordSize = 16

func newShotBoard(m *filemap.Mapping) (b shotBoard, err error) {
	v, err := m.View(0, 0)
	if err != nil {
		return b, err
	}
	if b.wrong, err = filemap.At[atomic.Uint64](v, 0); err != nil {
		return b, err
	}
	b.clients, err = filemap.SliceAt[shotRecord](v, shotRecordSize, int(m.Size()/shotRecordSize)-1)
	return b, err
}

func openShotBoard(name string) (b shotBoard, err error) {
	m, err := filemap.Open(name, nil)
	if err != nil {
		return b, err
	}
	return newShotBoard(m)
}

// shot is the message of a client: its number, and more that follows from it.
func shot(number int) []byte {
	return []byte(strings.Repeat(strconv.Itoa(number)+" ", 500))
}

// shoot is the role of a client. Its arguments are the names of the service and the
// board, and its number.
func shoot(arguments []string) error {
	number, err := strconv.Atoi(arguments[2])
	if err != nil {
		return err
	}
	b, err := openShotBoard(arguments[1])
	if err != nil {
		return err
	}
	ctx, cancel := deadline()
	defer cancel()
	c, err := channel.Dial(ctx, arguments[0], &channel.DialOptions{Wait: true})
	if err != nil {
		return err
	}
	if _, err := c.Write(shot(number)); err != nil {
		return err
	}
	if err := c.Close(); err != nil {
		return err
	}
	b.clients[number].closed.Store(1)
	return nil
}

// collectShots is the role of the server. Its arguments are the same names, and
// "late" if it accepts only when it gets a line.
func collectShots(arguments []string) error {
	b, err := openShotBoard(arguments[1])
	if err != nil {
		return err
	}
	l, err := channel.Listen(arguments[0], nil)
	if err != nil {
		return err
	}
	fmt.Println("listening")
	if arguments[2] == "late" {
		if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
			return err
		}
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			got, err := io.ReadAll(c)
			var number int
			if _, scanErr := fmt.Sscan(string(got), &number); scanErr != nil || err != nil ||
				number >= len(b.clients) || !bytes.Equal(got, shot(number)) {
				fmt.Fprintf(os.Stderr, "read %d bytes, %v\n", len(got), err)
				b.wrong.Add(1)
				return
			}
			b.clients[number].read.Add(1)
			_ = c.Close()
		}()
	}
}

// shots is one run of the test.
type shots struct {
	t              *testing.T
	service, board string
	mode           string
	shotBoard
	server *exec.Cmd
	accept io.WriteCloser // begins to accept
	// uncertain are the clients that a restart of the server met on their way.
	uncertain []bool
	failed    []error // by number; complete when all have ended
}

// TestOneShots has very many clients connect for one message, while the server is
// in Accept, before it is, and while it is killed and started again. Each message
// arrives, once, if its Close returned nil while the server lived and went on.
func TestOneShots(t *testing.T) {
	for _, mode := range []string{"accepting", "late", "restarted"} {
		t.Run(mode, func(t *testing.T) {
			const parallel, restarts, early = 8, 4, 100
			n := effort(t, 40, 1000)
			ns := filemaptest.New(t)
			s := &shots{
				t: t, service: ns.Name("service"), board: ns.Name("board"), mode: mode,
				uncertain: make([]bool, n), failed: make([]error, n),
			}
			m := created(t, s.board, int64((1+n)*shotRecordSize), nil)
			var err error
			s.shotBoard, err = newShotBoard(m)
			succeed(t, "View", err)
			s.clients = s.clients[:n]
			s.start()
			began, killed := time.Now(), 0
			slots := make(chan struct{}, parallel)
			for i := range n {
				slots <- struct{}{}
				s.shoot(i, slots)
				switch {
				case mode == "late" && s.closed() >= early:
					s.beginToAccept()
				case mode == "restarted" && (i+1)%(n/restarts) == n/restarts/2:
					s.restart(i + 1)
					killed++
				}
			}
			for range parallel {
				slots <- struct{}{} // all have ended
			}
			s.beginToAccept()
			lost := s.finish()
			t.Logf("figures: one shots, %s: %d processes in %v, %d closed, %d read, %d kills of the server, "+
				"%d clients lost their message or failed with it, %d violations", mode, n, time.Since(began).Round(time.Millisecond),
				s.closed(), s.read(), killed, lost, s.wrong.Load())
			closed(t, m)
			expectNoFiles(t)
		})
	}
}

// closed returns how many clients' Close has returned nil, and read how many
// messages the server has read.
func (s *shots) closed() (n int) {
	for i := range s.clients {
		n += int(s.clients[i].closed.Load())
	}
	return n
}

func (s *shots) read() (n int) {
	for i := range s.clients {
		n += int(s.clients[i].read.Load())
	}
	return n
}

// start starts the server, and returns when it listens.
func (s *shots) start() {
	s.t.Helper()
	var output io.Reader
	s.server = begin(s.t, func() *exec.Cmd {
		cmd := inRole("collect shots", thisBinary(s.t), s.service, s.board, s.mode)
		var err error
		s.accept, err = cmd.StdinPipe()
		succeed(s.t, "StdinPipe", err)
		output, err = cmd.StdoutPipe()
		succeed(s.t, "StdoutPipe", err)
		return cmd
	})
	s.t.Cleanup(s.kill)
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		s.t.Fatalf("the server says %q, %v", line, err)
	}
}

func (s *shots) kill() {
	if s.server != nil {
		_ = s.server.Process.Kill()
		_ = s.server.Wait()
		s.server = nil
	}
}

func (s *shots) beginToAccept() {
	if s.mode == "late" {
		_, _ = io.WriteString(s.accept, "\n") // a second one is not read
	}
}

// shoot starts a client, which gives its slot back when it has ended.
func (s *shots) shoot(i int, slots chan struct{}) {
	s.t.Helper()
	var stderr bytes.Buffer
	cmd := begin(s.t, func() *exec.Cmd {
		cmd := inRole("shoot", thisBinary(s.t), s.service, s.board, strconv.Itoa(i))
		cmd.Stderr = &stderr
		return cmd
	})
	go func() {
		if err := cmd.Wait(); err != nil {
			s.failed[i] = fmt.Errorf("%w: %s", err, &stderr)
		}
		<-slots
	}()
}

// restart kills the server, once it has read what had been closed until now, and
// starts another one. So many clients were started before.
func (s *shots) restart(started int) {
	s.t.Helper()
	for i := range started {
		s.uncertain[i] = s.uncertain[i] || s.clients[i].closed.Load() == 0
	}
	s.awaitRead()
	s.kill()
	s.start()
}

// awaitRead waits until all messages have been read that have to be.
func (s *shots) awaitRead() {
	s.t.Helper()
	for end := time.Now().Add(watchdog); ; time.Sleep(time.Millisecond) {
		missing := 0
		for i := range s.clients {
			if s.clients[i].closed.Load() != 0 && s.clients[i].read.Load() == 0 && !s.uncertain[i] {
				missing++
			}
		}
		if missing == 0 {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("%d messages do not arrive", missing)
		}
	}
}

// finish checks the result, and returns how many clients a restart cost their
// message.
func (s *shots) finish() (lost int) {
	s.t.Helper()
	s.awaitRead()
	s.kill()
	for i := range s.clients {
		read := s.clients[i].read.Load()
		switch {
		case read > 1:
			s.t.Errorf("message %d was read %d times", i, read)
		case s.uncertain[i] && read == 0:
			lost++
		case !s.uncertain[i] && (s.failed[i] != nil || s.clients[i].closed.Load() == 0):
			s.t.Errorf("client %d: %v", i, s.failed[i])
		}
	}
	if n := s.wrong.Load(); n > 0 {
		s.t.Errorf("%d messages were wrong", n)
	}
	return lost
}
