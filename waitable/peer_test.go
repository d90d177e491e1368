package waitable_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/waitable"
)

// peer is another process that has objects of its own and does with them what
// it is told.
type peer struct {
	t       testing.TB
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	encoder *json.Encoder
	decoder *json.Decoder
}

// request is one line to a peer.
type request struct {
	Op   string
	Name string
	N    int
}

// reply is what it answers.
type reply struct {
	Abandoned bool
	N         int
	Error     string
}

// startPeer starts a process that lives until the test ends.
func startPeer(t testing.TB) *peer {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	// The race detector would have each process wait a second at its end.
	cmd.Env = append(os.Environ(), peerVariable+"=1", "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	succeed(t, "StdinPipe", err)
	stdout, err := cmd.StdoutPipe()
	succeed(t, "StdoutPipe", err)
	succeed(t, "starting a peer", cmd.Start())
	p := &peer{t, cmd, stdin, json.NewEncoder(stdin), json.NewDecoder(stdout)}
	t.Cleanup(p.exit)
	return p
}

// exit has the process end, without closing what it holds.
func (p *peer) exit() {
	p.stdin.Close()
	p.cmd.Wait()
}

// kill ends the process as kill -9 does.
func (p *peer) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// begin has the process start what it is told, and end returns how it went.
func (p *peer) begin(op, name string, n int) {
	p.t.Helper()
	succeed(p.t, "telling a peer", p.encoder.Encode(request{op, name, n}))
}

func (p *peer) end() reply {
	p.t.Helper()
	var r reply
	succeed(p.t, "hearing of a peer", p.decoder.Decode(&r))
	if r.Error != "" {
		p.t.Fatalf("a peer: %s", r.Error)
	}
	return r
}

// do does the whole.
func (p *peer) do(op, name string, n int) reply {
	p.t.Helper()
	p.begin(op, name, n)
	return p.end()
}

// served is what a peer has, by name.
type served struct {
	mutexes    map[string]*waitable.Mutex
	holds      map[string]waitable.Hold
	semaphores map[string]*waitable.Semaphore
	events     map[string]*waitable.Event
	timers     map[string]*waitable.Timer
	mappings   map[string]*filemap.Mapping
}

// servePeer does what it reads, until there is no more.
func servePeer(in io.Reader, out io.Writer) error {
	s := served{
		mutexes: map[string]*waitable.Mutex{}, holds: map[string]waitable.Hold{},
		semaphores: map[string]*waitable.Semaphore{}, events: map[string]*waitable.Event{},
		timers: map[string]*waitable.Timer{}, mappings: map[string]*filemap.Mapping{},
	}
	encoder, decoder := json.NewEncoder(out), json.NewDecoder(in)
	for {
		var r request
		if err := decoder.Decode(&r); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		answer, err := s.serve(r)
		if err != nil {
			answer.Error = r.Op + ": " + err.Error()
		}
		if err := encoder.Encode(answer); err != nil {
			return err
		}
	}
}

func (s *served) serve(r request) (answer reply, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), watchdog)
	defer cancel()
	switch r.Op {
	case "mutex":
		s.mutexes[r.Name], _, err = waitable.OpenOrCreateMutex(r.Name, nil)
	case "create event":
		s.events[r.Name], err = waitable.CreateEvent(r.Name, nil)
	case "create semaphore":
		s.semaphores[r.Name], err = waitable.CreateSemaphore(r.Name, 1, 1, nil)
	case "create mapping":
		s.mappings[r.Name], err = filemap.Create(r.Name, int64(r.N), nil)
	case "lock":
		hold, err := s.mutexes[r.Name].Lock(ctx)
		s.holds[r.Name] = hold
		return reply{Abandoned: hold.Abandoned()}, err
	case "unlock":
		err = s.holds[r.Name].Unlock()
	case "count":
		err = count(s.mutexes[r.Name], r.N)
	case "start":
		answer.N, err = startChild(s.mutexes[r.Name])
	case "single":
		_, err = waitable.Single(r.Name, nil)
	case "semaphore":
		s.semaphores[r.Name], err = waitable.OpenSemaphore(r.Name)
	case "acquire":
		for range r.N {
			err = errors.Join(err, s.semaphores[r.Name].Acquire(ctx))
		}
	case "release":
		answer.N, err = s.semaphores[r.Name].Release(r.N)
	case "drain":
		answer.N, err = drain(s.semaphores[r.Name], r.N)
	case "event":
		s.events[r.Name], err = waitable.OpenEvent(r.Name)
	case "set":
		err = s.events[r.Name].Set()
	case "wait":
		err = s.events[r.Name].Wait(ctx)
	case "timer":
		s.timers[r.Name], err = waitable.OpenTimer(r.Name)
	case "due":
		err = s.timers[r.Name].SetAfter(time.Duration(r.N)*time.Millisecond, 0)
	default:
		err = fmt.Errorf("not known")
	}
	return answer, err
}

// count adds 1 to a number in a mapping so many times, each time in two steps
// that the mutex keeps together.
func count(m *waitable.Mutex, times int) error {
	mapping, err := filemap.Open(m.Name()+"-number", nil)
	if err != nil {
		return err
	}
	defer mapping.Close()
	view, err := mapping.View(0, 0)
	if err != nil {
		return err
	}
	defer view.Close()
	number := make([]byte, 2)
	for range times {
		hold, err := m.Lock(context.Background())
		if err != nil {
			return err
		}
		if _, err := view.ReadAt(number, 0); err != nil {
			return err
		}
		if number[0]++; number[0] == 0 {
			number[1]++
		}
		if _, err := view.WriteAt(number, 0); err != nil {
			return err
		}
		if err := hold.Unlock(); err != nil {
			return err
		}
	}
	return nil
}

// drain takes permits until a semaphore of that many hands none out any more
// for long, and returns how many.
func drain(s *waitable.Semaphore, most int) (int, error) {
	const long = 2 * time.Second
	for n := range most {
		ctx, cancel := context.WithTimeout(context.Background(), long)
		err := s.Acquire(ctx)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
	return most, nil
}
