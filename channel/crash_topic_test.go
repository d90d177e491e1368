//go:build filemap_steps

package channel_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/filemap-go/filemap/channel"
)

// crashTopic publishes and subscribes in all ways, and says what it has done, up
// to the step at which it dies.
func crashTopic(name string) error {
	to, err := channel.OpenTopic(name, nil)
	if err != nil {
		return err
	}
	if err := dieAtStep(); err != nil {
		return err
	}
	var s *channel.Subscription
	var buffer []byte
	receive := func() (err error) {
		if buffer, err = s.Receive(background, buffer); err == nil {
			say("got " + string(buffer))
		}
		return err
	}
	published := func(what string, err error) error {
		if err == nil {
			say("published " + what)
		}
		return err
	}
	long := strings.Repeat("l", 1500)
	steps := []func() error{
		func() error { return published("a", to.Publish(background, []byte("a"))) },
		// It goes around the ring's end.
		func() error { return published(long, to.Publish(background, []byte(long))) },
		func() error {
			_, err := to.PublishBatch(background, [][]byte{[]byte("b"), []byte("c")})
			return published("b c", err)
		},
		func() error {
			d, err := to.Reserve(background, 10)
			if err == nil {
				err = d.Commit(copy(d.Bytes(), "d"))
			}
			return published("d", err)
		},
		func() error {
			d, err := to.Reserve(background, 10)
			return errors.Join(err, d.Abort())
		},
		func() (err error) {
			s, err = to.Subscribe(&channel.SubscribeOptions{Last: 2})
			return err
		},
		receive, receive,
		func() error { return published("e", to.TryPublish([]byte("e"))) },
		receive,
		func() error { return s.Close() },
		to.Close,
	}
	for _, do := range steps {
		if err := do(); err != nil {
			return err
		}
	}
	say("through")
	return nil
}

func init() { roles["crash topic"] = crashTopic }

func TestCrashPointsTopic(t *testing.T) {
	for _, overflow := range topicOverflows {
		atEachStep(t, "topic, "+overflow.String(), func(t *testing.T, name string) bool {
			return crashTopicAt(t, name, overflow)
		})
	}
}

// crashTopicAt reports whether the process gets through. A subscriber who stays
// gets all that it said to have published, and others can publish.
func crashTopicAt(t *testing.T, name string, overflow channel.Overflow) (through bool) {
	to, err := channel.CreateTopic(name, &channel.TopicOptions{Capacity: 4096, Overflow: overflow})
	succeed(t, "CreateTopic", err)
	defer to.Close()
	s := subscribe(t, to, 0)
	// The ring's end is to lie within what the process publishes.
	publish(t, to, strings.Repeat("x", 2600))
	expectNext(t, s, strings.Repeat("x", 2600))

	victim := start(t, "crash topic", to.Name())
	var said, got []string
	for victim.output.Scan() {
		what, messages, _ := strings.Cut(victim.output.Text(), " ")
		switch what {
		case "published":
			said = append(said, strings.Fields(messages)...)
		case "got":
			got = append(got, messages)
		case "through":
			through = true
		}
	}
	victim.kill()
	if want := []string{"c", "d", "e"}; !slices.Equal(got, want[:len(got)]) {
		t.Errorf("it got %q, want %q", got, want)
	}

	var seen []string
	for ok := true; ok; {
		m, more, err := s.TryReceive(nil)
		succeed(t, "TryReceive", err)
		if ok = more; ok {
			seen = append(seen, string(m))
		}
	}
	ctx, cancel := context.WithTimeout(background, 20*time.Second)
	defer cancel()
	for range 5 { // so that publishers come to wait for the dead
		succeed(t, "Publish", to.Publish(ctx, make([]byte, 1000)))
		expectNext(t, s, string(make([]byte, 1000)))
	}
	all := []string{"a", strings.Repeat("l", 1500), "b", "c", "d", "e"}
	n := len(seen)
	if n < len(said) || n > len(all) || !slices.Equal(seen, all[:n]) || s.Lost() > 0 {
		t.Errorf("%d messages are there, and %d lost, of %d published", n, s.Lost(), len(said))
	}
	succeed(t, "Close", errors.Join(s.Close(), to.Close()))
	return through
}
