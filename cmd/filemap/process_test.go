package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long a script waits for a process before it fails.
const patience = time.Minute

// process is one that a script holds: it has an input that stays open, and can
// be looked at while it runs.
type process struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout stream
	stderr stream
	ended  chan struct{} // closed when it has
	err    error         // of Wait, then
}

// processesKey is where a script's processes are kept.
type processesKey struct{}

// environmentKey is where a script's environment is kept.
type environmentKey struct{}

func processes(ts *testscript.TestScript) map[string]*process {
	return ts.Value(processesKey{}).(map[string]*process)
}

// stream holds what a process has printed.
type stream struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *stream) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func hold(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 || processes(ts)[args[0]] != nil {
		ts.Fatalf("usage: hold ID PATTERN PROGRAM [ARG...], with a new ID")
	}
	p := &process{cmd: command(ts, args[2:]), ended: make(chan struct{})}
	p.cmd.WaitDelay = patience // should a child of it live on
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	stdin, err := p.cmd.StdinPipe()
	ts.Check(err)
	p.stdin = stdin
	ts.Check(p.cmd.Start())
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	processes(ts)[args[0]] = p
	ts.Defer(func() {
		_ = p.cmd.Process.Kill() // unless it has ended
		<-p.ended
	})
	p.await(ts, args[1])
}

// command returns a command with the script's directory, and the environment
// that the script began with.
func command(ts *testscript.TestScript, args []string) *exec.Cmd {
	path, err := exec.LookPath(args[0])
	ts.Check(err)
	cmd := exec.Command(path, args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = ts.Value(environmentKey{}).(*testscript.Env).Vars
	return cmd
}

func running(ts *testscript.TestScript, id string) *process {
	p := processes(ts)[id]
	if p == nil {
		ts.Fatalf("no process %s", id)
	}
	return p
}

func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await ID PATTERN")
	}
	running(ts, args[0]).await(ts, args[1])
}

func (p *process) await(ts *testscript.TestScript, pattern string) {
	want, err := regexp.Compile("(?m)" + pattern)
	ts.Check(err)
	printed := func() bool {
		return want.MatchString(p.stdout.String()) || want.MatchString(p.stderr.String())
	}
	for deadline := time.After(patience); !printed(); {
		select {
		case <-time.After(5 * time.Millisecond):
			continue
		case <-deadline:
		case <-p.ended:
			if printed() {
				return
			}
		}
		ts.Fatalf("no %q in what it printed:\n%s%s", pattern, p.stdout.String(), p.stderr.String())
	}
}

func end(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: [!] end ID enter|eof|int|term|quit|kill")
	}
	p := running(ts, args[0])
	delete(processes(ts), args[0])
	p.tell(ts, args[1])
	select {
	case <-p.ended:
	case <-time.After(patience):
		ts.Fatalf("%s does not end", args[0])
	}
	_, _ = io.WriteString(ts.Stdout(), p.stdout.String())
	_, _ = io.WriteString(ts.Stderr(), p.stderr.String())
	if hasFailed := p.err != nil; hasFailed != neg {
		ts.Fatalf("%s has ended: %v", args[0], p.err)
	}
}

func (p *process) tell(ts *testscript.TestScript, how string) {
	switch how {
	case "enter":
		_, err := io.WriteString(p.stdin, "\n")
		ts.Check(err)
	case "eof":
		if err := p.stdin.Close(); !errors.Is(err, os.ErrClosed) { // it may have ended by itself
			ts.Check(err)
		}
	case "int":
		ts.Check(p.cmd.Process.Signal(os.Interrupt))
	case "term":
		ts.Check(p.cmd.Process.Signal(syscall.SIGTERM))
	case "quit":
		ts.Check(p.cmd.Process.Signal(syscall.SIGQUIT))
	case "kill":
		ts.Check(p.cmd.Process.Kill())
	default:
		ts.Fatalf("no way to end a process: %s", how)
	}
}
