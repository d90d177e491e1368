package test

import (
	"bytes"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strconv"
	"testing"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
)

// TestCPeer exchanges messages with a C program that knows of queues what their
// document says.
func TestCPeer(t *testing.T) {
	linuxOnly(t, "the program opens files")
	const messages = 20_000
	ns := filemaptest.New(t)
	program := buildC(t, t.TempDir(), "queue")
	there, lentThere := polledQueue(t, ns.Name("there"))
	back, lentBack := polledQueue(t, ns.Name("back"))
	path := func(name string) string {
		native, err := filemap.NativeName(name)
		succeed(t, "NativeName", err)
		return native
	}
	cmd := exec.Command(program, path(ns.Name("there")), lentThere, path(ns.Name("back")), lentBack, strconv.Itoa(messages))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	succeed(t, "Start", cmd.Start())
	ctx, cancel := deadline()
	defer cancel()
	go func() {
		source := rand.New(rand.NewPCG(1, 2))
		for i := range messages {
			if err := there.Send(ctx, randomMessage(source, i, there.Longest())); err != nil {
				t.Error("Send:", err)
				return
			}
		}
	}()
	source := rand.New(rand.NewPCG(1, 2))
	for i := range messages {
		got, err := back.Receive(ctx, nil)
		if err != nil {
			_ = cmd.Process.Kill()
			t.Fatalf("Receive: %v; the program: %s", err, &stderr)
		}
		want := randomMessage(source, i, there.Longest())
		slices.Reverse(want)
		if !bytes.Equal(got, want) {
			t.Fatalf("message %d came back as %d bytes, want %d", i, len(got), len(want))
		}
	}
	succeed(t, "the program", cmd.Wait())
	t.Logf("figures: a C peer and Go exchanged %d messages each way", messages)
}

// polledQueue makes a queue, and takes a place in it for another process.
func polledQueue(t *testing.T, name string) (q *channel.Queue, place string) {
	t.Helper()
	opts := &channel.QueueOptions{Capacity: 16 << 10, Spin: channel.SpinAlways}
	q, err := channel.CreateQueue(name, opts)
	keepOpen(t, q, err)
	lent, err := channel.OpenQueue(name, opts)
	keepOpen(t, lent, err)
	info, err := channel.Inspect(name)
	succeed(t, "Inspect", err)
	return q, strconv.Itoa(info.Members[len(info.Members)-1].Place)
}

func randomMessage(source *rand.Rand, i, longest int) []byte {
	p := make([]byte, source.IntN(longest+1)>>source.IntN(12))
	for k := range p {
		p[k] = byte(i + k*k)
	}
	return p
}
