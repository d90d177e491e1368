package test

import (
	"bufio"
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
)

// TestCPeer exchanges messages with a C program that knows of queues, and of the
// objects beside them, what the documents say.
func TestCPeer(t *testing.T) {
	linuxOnly(t, "the program opens files")
	filemaptest.New(t)
	program := buildC(t, t.TempDir(), "queue")
	for _, spin := range []time.Duration{channel.SpinAdaptive, channel.SpinNever} {
		exchange(t, program, spin, 20_000)
	}
}

func exchange(t *testing.T, program string, spin time.Duration, messages int) {
	t.Helper()
	opts := &channel.QueueOptions{Capacity: 16 << 10, Spin: spin}
	there, back := newQueue(t, "there", opts), newQueue(t, "back", opts)
	defer closed(t, there, back)
	cmd := exec.Command(program, "echo", pathOf(t, there), pathOf(t, back), strconv.Itoa(messages))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	succeed(t, "Start", cmd.Start())
	defer cmd.Process.Kill()
	ctx, cancel := deadline()
	defer cancel()
	sent := make(chan error, 1)
	go func() {
		source := rand.New(rand.NewPCG(1, 2))
		var err error
		for i := 0; i < messages && err == nil; i++ {
			err = there.Send(ctx, randomMessage(source, i, there.Longest()))
		}
		sent <- err
	}()
	source := rand.New(rand.NewPCG(1, 2))
	for i := range messages {
		got, err := back.Receive(ctx, nil)
		if err != nil {
			t.Fatalf("Receive: %v; the program: %s", err, &stderr)
		}
		want := randomMessage(source, i, there.Longest())
		slices.Reverse(want)
		if !bytes.Equal(got, want) {
			t.Fatalf("message %d came back as %d bytes, want %d", i, len(got), len(want))
		}
	}
	succeed(t, "Send", <-sent)
	succeed(t, "the program", cmd.Wait())
	info, err := channel.Inspect(back.Name())
	succeed(t, "Inspect", err)
	ring := info.Rings[0]
	if ring.Sent != uint64(messages) || ring.Received != uint64(messages) || len(info.Members) != 1 {
		t.Errorf("in the end: %+v", info)
	}
	t.Logf("figures: a C peer and Go exchanged %d messages each way; the peer slept %d times for room",
		messages, ring.SendSleeps)
}

// TestCPeerDies kills C programs that have an end of a queue. Go goes on, and so
// do other C programs.
func TestCPeerDies(t *testing.T) {
	linuxOnly(t, "the program opens files")
	filemaptest.New(t)
	program := buildC(t, t.TempDir(), "queue")
	for _, survivor := range []string{"Go", "C"} {
		q := newQueue(t, "q", nil)
		send := func(text string) {
			ctx, cancel := deadline()
			defer cancel()
			if survivor == "Go" {
				succeed(t, "Send", q.Send(ctx, []byte(text)))
				return
			}
			_, err := run(exec.CommandContext(ctx, program, "send", pathOf(t, q), text))
			succeed(t, "C sends", err)
		}
		send("first")
		for round := range 5 {
			killAt(t, program, "begin-send", q)
			send(strconv.Itoa(round))
			killAt(t, program, "begin-receive", q)
		}
		ctx, cancel := deadline()
		for _, want := range []string{"first", "0", "1", "2", "3", "4"} {
			got, err := q.Receive(ctx, nil)
			if string(got) != want || err != nil {
				t.Errorf("received %q, error %v, want %q", got, err, want)
			}
		}
		cancel()
		if m, ok, err := q.TryReceive(nil); ok || err != nil {
			t.Errorf("received %q, error %v, want nothing", m, err)
		}
		closed(t, q)
	}
}

// killAt runs the program up to where it says that it has begun, and kills it.
func killAt(t *testing.T, program, what string, q *channel.Queue) {
	t.Helper()
	cmd := exec.Command(program, what, pathOf(t, q))
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	succeed(t, "StdoutPipe", err)
	succeed(t, "Start", cmd.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	succeed(t, "Kill", cmd.Process.Kill())
	_ = cmd.Wait() // it was killed
	if line != "begun\n" {
		t.Fatalf("the program says %q, error %v", line, err)
	}
}

func newQueue(t *testing.T, name string, opts *channel.QueueOptions) *channel.Queue {
	t.Helper()
	q, err := channel.CreateQueue(name, opts)
	return keepOpen(t, q, err)
}

// pathOf returns the path of a queue's mapping.
func pathOf(t *testing.T, q *channel.Queue) string {
	t.Helper()
	path, err := filemap.NativeName(q.Name())
	succeed(t, "NativeName", err)
	return path
}

func randomMessage(source *rand.Rand, i, longest int) []byte {
	p := make([]byte, source.IntN(longest+1)>>source.IntN(12))
	for k := range p {
		p[k] = byte(i + k*k)
	}
	return p
}
