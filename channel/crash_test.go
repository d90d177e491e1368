//go:build filemap_steps

package channel_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/internal/step"
)

// Crash points: a process that uses a queue in all ways is killed at its first
// step in the shared memory, another at its second, and so on until one gets
// through. Each time the others must find all that was sent, in order, nothing
// twice but what a dead receiver was at, and be able to go on.

const stepVariable = "FILEMAP_CHANNEL_STEP"

func init() { roles["crash"] = crash }

// dieAtStep has this process killed at the step that the environment says.
func dieAtStep() error {
	last, err := strconv.Atoi(os.Getenv(stepVariable))
	var n atomic.Int64 // a Listener has goroutines of its own
	step.Do = func() {
		if n.Add(1) == int64(last) {
			self, _ := os.FindProcess(os.Getpid())
			_ = self.Kill()
			time.Sleep(time.Hour)
		}
	}
	return err
}

// atEachStep has a process die at its first step, another one at its second, and
// so on until one gets through. Each time the channel has another name.
func atEachStep(t *testing.T, what string, dies func(t *testing.T, name string) (through bool)) {
	t.Helper()
	ns := filemaptest.New(t)
	watchdog(t)
	at := 1
	defer func() {
		if t.Failed() {
			t.Errorf("%s: it was killed at step %d", what, at)
		}
	}()
	for ; ; at++ {
		t.Setenv(stepVariable, strconv.Itoa(at))
		if dies(t, ns.Name(fmt.Sprint("at", at))) || t.Failed() {
			break
		}
	}
	t.Logf("figures: crash points: %s: %d, each with its own process", what, at-1)
}

// crash says what it has done, up to the step at which it dies.
func crash(name string) error {
	q, err := channel.OpenQueue(name, nil)
	if err != nil {
		return err
	}
	if err := dieAtStep(); err != nil {
		return err
	}
	did := func(what, message string, err error) error {
		if err == nil {
			say(what + " " + message)
		}
		return err
	}
	receive := func(m []byte) error { return did("got", string(m), nil) }
	long := strings.Repeat("l", 2000)
	steps := []func() error{
		func() error { return did("sent", "a", q.Send(background, []byte("a"))) },
		func() error { return did("sent", long, q.Send(background, []byte(long))) }, // goes around
		func() error {
			_, err := q.SendBatch(background, [][]byte{[]byte("b"), []byte("c")})
			return did("sent", "b c", err)
		},
		func() error {
			d, err := scribbled(q)
			if err == nil {
				err = d.Commit(copy(d.Bytes(), "d"))
			}
			return did("sent", "d", err)
		},
		func() error {
			d, err := scribbled(q)
			return errors.Join(err, d.Abort())
		},
		func() error {
			m, err := q.Receive(background, nil)
			return did("got", string(m), err)
		},
		func() error {
			l, err := q.Next(background)
			if err != nil {
				return err
			}
			m := string(l.Bytes())
			return did("got", m, l.Release())
		},
		func() error {
			l, err := q.Next(background)
			return errors.Join(err, l.Return())
		},
		func() error { return second(q.Drain(background, receive)) },
		q.Close,
	}
	for _, do := range steps {
		if err := do(); err != nil {
			return err
		}
	}
	say("through")
	return nil
}

// scribbled returns a draft that is full of what must not stay there.
func scribbled(q *channel.Queue) (channel.Draft, error) {
	d, err := q.Reserve(background, 100)
	for i := range d.Bytes() {
		d.Bytes()[i] = '?'
	}
	return d, err
}

func TestCrashPoints(t *testing.T) {
	for _, receiveFirst := range []bool{false, true} {
		atEachStep(t, "queue", func(t *testing.T, name string) bool {
			return crashAt(t, name, receiveFirst)
		})
	}
}

// crashAt reports whether the process gets through. What it leaves is found by
// one who sends, or by one who receives.
func crashAt(t *testing.T, name string, receiveFirst bool) (through bool) {
	q, err := channel.CreateQueue(name, &channel.QueueOptions{Capacity: 4096})
	succeed(t, "CreateQueue", err)
	defer q.Close()
	// The ring's end is to lie within what the process sends.
	send(t, q, strings.Repeat("x", 2500))
	expectMessage(t, q, strings.Repeat("x", 2500))
	send(t, q, "first")

	other := start(t, "crash", name)
	sent, got := []string{"first"}, []string(nil)
	for other.output.Scan() {
		what, messages, _ := strings.Cut(other.output.Text(), " ")
		switch what {
		case "sent":
			sent = append(sent, strings.Fields(messages)...)
		case "got":
			got = append(got, messages)
		case "through":
			through = true
		}
	}
	other.kill()

	for ok := receiveFirst; ok; {
		m, more, err := q.TryReceive(nil)
		succeed(t, "TryReceive", err)
		if ok = more; ok {
			got = append(got, string(m))
		}
	}
	short, cancel := context.WithTimeout(background, time.Second)
	defer cancel()
	succeed(t, "Send", q.Send(short, []byte("last")))
	for m := ""; m != "last"; {
		p, err := q.Receive(short, nil)
		succeed(t, "Receive", err)
		m = string(p)
		got = append(got, m)
	}
	expectHistory(t, append(sent, "last"), got)
	return through
}

// expectHistory checks what was got of what was said to be sent. Before it was
// killed the process may have sent what it did not say, and have taken one
// message, or been given one, without saying so.
func expectHistory(t *testing.T, sent, got []string) {
	t.Helper()
	got = slices.Compact(got) // what a dead receiver was at may come again
	all := []string{"first", "a", strings.Repeat("l", 2000), "b", "c", "d", "last"}
	missing := 0
	for _, m := range all {
		switch i := slices.Index(got, m); {
		case i == 0:
			got = got[1:]
		case i > 0:
			t.Errorf("got %.40q before %.10q", fmt.Sprint(got[:i]), m)
			got = got[i+1:]
		case slices.Contains(sent, m):
			missing++
		}
	}
	if len(got) > 0 || missing > 1 {
		t.Errorf("%d messages are missing, %.40q left over", missing, fmt.Sprint(got))
	}
}
