package channel_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"testing"
)

// TestAll iterates over each kind, in which there are "0" to "9", or only the
// latest: until the body leaves, ctx ends, and the handle is closed.
func TestAll(t *testing.T) {
	q, _ := queue(t, nil)
	to := topic(t, nil)
	s := subscribe(t, to, 0)
	l, other := latest(t, 1)
	ten := make([]string, 10)
	for i := range ten {
		ten[i] = fmt.Sprint(i)
		succeed(t, "Send", q.Send(background, []byte(ten[i])))
		publish(t, to, ten[i])
		succeed(t, "Write", l.Write([]byte(ten[i])))
	}
	for name, kind := range map[string]struct {
		all   func(context.Context) iter.Seq2[[]byte, error]
		want  []string
		more  func(string) error
		close func() error
	}{
		"Queue":        {q.All, ten, func(m string) error { return q.Send(background, []byte(m)) }, q.Close},
		"Subscription": {s.All, ten, func(m string) error { return to.Publish(background, []byte(m)) }, s.Close},
		"Latest":       {other.All, ten[9:], func(m string) error { return l.Write([]byte(m)) }, other.Close},
	} {
		t.Run(name, func(t *testing.T) {
			watchdog(t)
			var got []string
			for message, err := range kind.all(background) {
				succeed(t, "All", err)
				if got = append(got, string(message)); len(got) == len(kind.want) {
					break
				}
			}
			if !slices.Equal(got, kind.want) {
				t.Errorf("got %q, want %q", got, kind.want)
			}

			ctx, cancel := context.WithCancelCause(background)
			defer cancel(nil)
			cause := errors.New("it is enough")
			succeed(t, "more", kind.more("x"))
			steps := 0
			for message, err := range kind.all(ctx) {
				if steps++; steps == 1 {
					if string(message) != "x" && name != "Latest" || err != nil {
						t.Errorf("got %q, %v", message, err)
					}
					succeed(t, "more", kind.more("y")) // it stays
					cancel(cause)
				} else if !errors.Is(err, cause) || message != nil {
					t.Errorf("after the end: %q, %v", message, err)
				}
			}
			if steps != 2 {
				t.Errorf("%d steps", steps)
			}

			func() { // a body that panics holds nothing
				defer func() { _ = recover() }()
				for range kind.all(background) {
					panic("in the body")
				}
			}()
			succeed(t, "more", kind.more("z"))
			for message, err := range kind.all(background) {
				if string(message) == "z" {
					succeed(t, "Close", kind.close())
					continue
				}
				if !errors.Is(err, os.ErrClosed) {
					t.Errorf("after Close: %q, %v", message, err)
				}
			}
		})
	}
}

// TestAllIsOneAtATime has several iterate over one queue: each message goes to one,
// while the others are at work.
func TestAllIsOneAtATime(t *testing.T) {
	watchdog(t)
	a, b := queue(t, nil)
	for range 2 {
		succeed(t, "Send", a.Send(background, []byte("a message")))
	}
	for _, err := range a.All(background) {
		succeed(t, "All", err)
		if second, err := b.Receive(background, nil); err != nil || string(second) != "a message" {
			t.Errorf("Receive in the body: %q, %v", second, err)
		}
		break
	}
}
