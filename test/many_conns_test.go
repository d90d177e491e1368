package test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/internal/race"
)

// holdConns is the role of a process that has many connections open at once. Its
// arguments are the listener's name and how many. It says when all have
// exchanged some bytes, and does that again when it gets a line.
func holdConns(arguments []string) error {
	n, err := strconv.Atoi(arguments[1])
	if err != nil {
		return err
	}
	conns := make([]*channel.Conn, n)
	if err := inParallel(n, 8, func(i int) (err error) {
		ctx, cancel := deadline()
		defer cancel()
		opts := &channel.DialOptions{Spin: channel.SpinNever}
		if conns[i], err = channel.Dial(ctx, arguments[0], opts); err != nil {
			return err
		}
		return converse(conns[i], i)
	}); err != nil {
		return err
	}
	fmt.Println("open")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	return inParallel(n, n, func(i int) error {
		for round := range 5 {
			if err := converse(conns[i], i*round); err != nil {
				return err
			}
		}
		return conns[i].Close()
	})
}

// inParallel runs f for each number below n, by so many goroutines, and returns
// one of its errors.
func inParallel(n, goroutines int, f func(i int) error) error {
	errs := make(chan error, n)
	var all sync.WaitGroup
	for first := range goroutines {
		all.Go(func() {
			for i := first; i < n; i += goroutines {
				errs <- f(i)
			}
		})
	}
	all.Wait()
	for range n {
		if err := <-errs; err != nil {
			return err
		}
	}
	return nil
}

// converse sends some bytes, and expects them back.
func converse(c *channel.Conn, i int) error {
	if err := c.SetDeadline(time.Now().Add(watchdog)); err != nil {
		return err
	}
	question, answer := fmt.Sprintf("%01000d", i), make([]byte, 1000)
	if _, err := io.WriteString(c, question); err != nil {
		return err
	}
	_, err := io.ReadFull(c, answer)
	if err == nil && string(answer) != question {
		err = fmt.Errorf("asked %q, answered %q", question, answer)
	}
	return err
}

// holder is such a process.
type holder struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	said  *bufio.Reader
}

func startHolder(t *testing.T, cmd *exec.Cmd) *holder {
	t.Helper()
	stdin, err := cmd.StdinPipe()
	succeed(t, "StdinPipe", err)
	stdout, err := cmd.StdoutPipe()
	succeed(t, "StdoutPipe", err)
	succeed(t, "Start", cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return &holder{cmd, stdin, bufio.NewReader(stdout)}
}

// awaitOpen waits until all of its connections are open.
func (h *holder) awaitOpen() error {
	line, err := h.said.ReadString('\n')
	if err == nil && line != "open\n" {
		err = fmt.Errorf("it says %q", line)
	}
	return err
}

// finish has it use its connections once more, and end.
func (h *holder) finish() error {
	_, err := io.WriteString(h.stdin, "go on\n")
	return errors.Join(err, h.cmd.Wait())
}

// echo accepts so many connections, and sends back what comes until all have
// ended. An error ends it, and the listener, at once.
func echo(l *channel.Listener, n int) error {
	var all sync.WaitGroup
	for range n {
		c, err := l.Accept()
		if err != nil {
			return errors.Join(err, l.Close())
		}
		all.Go(func() {
			_, _ = io.Copy(c, c)
			_ = c.Close()
		})
	}
	all.Wait()
	return nil
}

// filesMax returns how many files a process may have open: Go raises the limit
// to the hard one when it starts.
func filesMax() int {
	limits, _ := os.ReadFile("/proc/self/limits") // only Linux has it
	_, rest, _ := strings.Cut(string(limits), "\nMax open files")
	if fields := strings.Fields(rest); len(fields) > 1 {
		if n, err := strconv.Atoi(fields[1]); err == nil {
			return n
		}
	}
	return math.MaxInt
}

// TestThousandsOfConns has several processes hold connections to one listener,
// all at once.
func TestThousandsOfConns(t *testing.T) {
	const processes = 4
	each := 500
	switch {
	case runtime.GOOS == "windows":
		each = 25 // there they are the system's objects, of which Wine is slow to make many
	case race.Enabled:
		each = 100 // of what one process does, the others see nothing
	}
	const filesOfEach, otherFiles = 9, 100 // of this process, which has all of them
	each = min(each, (filesMax()-otherFiles)/filesOfEach/processes)
	conns := int64(processes * each)
	name := filemaptest.New(t).Name("service")
	l, err := channel.Listen(name, &channel.ListenOptions{Capacity: 4096, Spin: channel.SpinNever})
	keepOpen(t, l, err)
	heap, resident := memory(t)
	start := time.Now()
	echoed := make(chan error, 1)
	go func() { echoed <- echo(l, int(conns)) }()
	var holders []*holder
	for range processes {
		cmd := inRole("conns", thisBinary(t), name, strconv.Itoa(each))
		holders = append(holders, startHolder(t, cmd))
	}
	for _, h := range holders {
		succeed(t, "opening them", h.awaitOpen())
	}
	opened := time.Since(start)
	heapThen, residentThen := memory(t)
	start = time.Now()
	succeed(t, "using them", inParallel(processes, processes, func(i int) error {
		return holders[i].finish()
	}))
	succeed(t, "Accept", take(t, "the listener", echoed))
	t.Logf("figures: %d connections open at once, from %d processes: opened in %v, "+
		"%d KB each way by all of them in %v; "+
		"the listener's side of one takes %d bytes of heap, %d resident", conns, processes,
		opened.Round(time.Millisecond), 5*conns, time.Since(start).Round(time.Millisecond),
		(heapThen-heap)/conns, (residentThen-resident)/conns)
}
