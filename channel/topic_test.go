package channel_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/object"
)

// topic makes a topic of a new name.
func topic(t *testing.T, opts *channel.TopicOptions) *channel.Topic {
	t.Helper()
	made, err := channel.CreateTopic(filemaptest.New(t).Name("t"), opts)
	succeed(t, "CreateTopic", err)
	t.Cleanup(func() { _ = made.Close() })
	return made
}

func openTopic(t *testing.T, name string, opts *channel.TopicOptions) *channel.Topic {
	t.Helper()
	opened, err := channel.OpenTopic(name, opts)
	succeed(t, "OpenTopic", err)
	t.Cleanup(func() { _ = opened.Close() })
	return opened
}

func subscribe(t *testing.T, to *channel.Topic, last int) *channel.Subscription {
	t.Helper()
	s, err := to.Subscribe(&channel.SubscribeOptions{Last: last})
	succeed(t, "Subscribe", err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func publish(t *testing.T, to *channel.Topic, message string) {
	t.Helper()
	succeed(t, "Publish", to.Publish(background, []byte(message)))
}

func expectNext(t *testing.T, s *channel.Subscription, want string) {
	t.Helper()
	got, err := s.Receive(background, nil)
	succeed(t, "Receive", err)
	if string(got) != want {
		t.Errorf("received %.20q, want %.20q", got, want)
	}
}

func expectNone(t *testing.T, s *channel.Subscription) {
	t.Helper()
	if message, ok, err := s.TryReceive(nil); ok || err != nil {
		t.Errorf("TryReceive of nothing = %.20q, %v, %v", message, ok, err)
	}
}

// policies runs a test for each way to deal with slow subscribers.
func policies(t *testing.T, test func(t *testing.T, overflow channel.Overflow)) {
	for _, overflow := range topicOverflows {
		t.Run(overflow.String(), func(t *testing.T) {
			watchdog(t)
			test(t, overflow)
		})
	}
}

var topicOverflows = []channel.Overflow{channel.Block, channel.Overwrite}

// TestTopicLengths publishes messages of all lengths in a small ring, so that
// they come to lie everywhere in it. It does so alone: a subscriber who has
// read all is in nobody's way.
func TestTopicLengths(t *testing.T) {
	policies(t, func(t *testing.T, overflow channel.Overflow) {
		to := topic(t, &channel.TopicOptions{Capacity: 4096, Overflow: overflow})
		one, other := subscribe(t, to, 0), subscribe(t, to, 0)
		for i := range 20_000 {
			message := bytes.Repeat([]byte{byte(i)}, i*7%(to.Longest()+1))
			publish(t, to, string(message))
			expectNext(t, one, string(message))
			expectNext(t, other, string(message))
		}
		expectNone(t, one)
		if lost := one.Lost() + other.Lost(); lost != 0 {
			t.Errorf("%d are lost", lost)
		}
		long := make([]byte, to.Longest()+1)
		for what, err := range map[string]error{
			"Publish": to.Publish(background, long), "TryPublish": to.TryPublish(long),
			"PublishBatch": second(to.PublishBatch(background, [][]byte{long})),
			"Reserve":      second(to.Reserve(background, len(long))),
		} {
			if !errors.Is(err, channel.ErrTooLong) {
				t.Errorf("%s of a message that is too long: %v", what, err)
			}
		}
	})
}

// TestTopicHoldsBack is about a publisher that has no room.
func TestTopicHoldsBack(t *testing.T) {
	watchdog(t)
	to := topic(t, &channel.TopicOptions{Capacity: 4096})
	fast, slow := subscribe(t, to, 0), subscribe(t, to, 0)
	n := 0
	for ; to.TryPublish(fmt.Appendf(nil, "%0100d", n)) == nil; n++ {
		expectNext(t, fast, fmt.Sprintf("%0100d", n))
	}
	if n != 4096/120 {
		t.Errorf("%d messages fit", n)
	}
	if err := to.TryPublish(make([]byte, 100)); !errors.Is(err, channel.ErrFull) {
		t.Errorf("TryPublish: %v", err)
	}
	ended, end := context.WithTimeout(background, 10*time.Millisecond)
	defer end()
	if err := to.Publish(ended, make([]byte, 100)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Publish: %v", err)
	}
	published := make(chan error)
	go func() { published <- to.Publish(background, fmt.Appendf(nil, "%0100d", n)) }()
	select {
	case err := <-published:
		t.Errorf("it overwrote a message: %v", err)
	case <-time.After(10 * time.Millisecond):
	}
	for i := range n {
		expectNext(t, slow, fmt.Sprintf("%0100d", i))
	}
	succeed(t, "Publish", <-published)
	expectNext(t, fast, fmt.Sprintf("%0100d", n))
	expectNext(t, slow, fmt.Sprintf("%0100d", n))

	// One that leaves is no longer waited for.
	go func() {
		for range 100 {
			publish(t, to, "x")
		}
		for range 100 {
			if err := to.Publish(background, make([]byte, 100)); err != nil {
				t.Error("Publish:", err)
			}
		}
		published <- nil
	}()
	for range 10 {
		expectNext(t, fast, "x")
	}
	time.Sleep(5 * time.Millisecond)
	succeed(t, "Close", slow.Close())
	time.Sleep(5 * time.Millisecond)
	succeed(t, "Close", fast.Close())
	<-published
}

// TestTopicLast has subscribers come late.
func TestTopicLast(t *testing.T) {
	policies(t, func(t *testing.T, overflow channel.Overflow) {
		to := topic(t, &channel.TopicOptions{Capacity: 4096, Overflow: overflow})
		first := subscribe(t, to, 10)
		expectNone(t, first)
		succeed(t, "Close", first.Close())
		reader := subscribe(t, to, 0)
		for i := range 1000 {
			message := fmt.Sprintf("%0*d", 20+i%100, i)
			publish(t, to, message)
			expectNext(t, reader, message)
			if i%50 != 49 {
				continue
			}
			for _, last := range []int{0, 1, 5, 1 << 30} {
				late := subscribe(t, to, last)
				n := 0
				for ; ; n++ {
					got, ok, err := late.TryReceive(nil)
					succeed(t, "TryReceive", err)
					if !ok {
						break
					}
					if k := bytes.IndexFunc(got, func(r rune) bool { return r != '0' }); n == 0 && last <= 5 {
						if want := fmt.Sprint(i + 1 - last); k < 0 || string(got[k:]) != want {
							t.Errorf("the first is %s, want %s", got, want)
						}
					}
				}
				if last <= 5 && n != last || last > 5 && n < 20 || late.Lost() != 0 {
					t.Errorf("of the last %d at %d: %d, and %d lost", last, i, n, late.Lost())
				}
				succeed(t, "Close", late.Close())
			}
		}
		if _, err := to.Subscribe(&channel.SubscribeOptions{Last: -1}); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("the last -1: %v", err)
		}
	})
}

func TestTopicInPlace(t *testing.T) {
	policies(t, func(t *testing.T, overflow channel.Overflow) {
		to := topic(t, &channel.TopicOptions{Capacity: 4096, Overflow: overflow})
		s := subscribe(t, to, 0)
		draft, err := to.Reserve(background, 100)
		succeed(t, "Reserve", err)
		expectNone(t, s)
		if len(draft.Bytes()) != 100 || draft.Commit(101) == nil {
			t.Errorf("a draft of %d bytes took 101", len(draft.Bytes()))
		}
		other := openTopic(t, to.Name(), nil)
		if err := other.TryPublish(nil); !errors.Is(err, channel.ErrFull) {
			t.Errorf("TryPublish while another has the end: %v", err)
		}
		published := make(chan error)
		go func() { published <- other.Publish(background, []byte("other")) }()
		time.Sleep(5 * time.Millisecond)
		succeed(t, "Commit", draft.Commit(copy(draft.Bytes(), "in place")))
		succeed(t, "Publish", <-published)
		expectNext(t, s, "in place")
		expectNext(t, s, "other")
		if err := draft.Commit(1); !errors.Is(err, os.ErrClosed) {
			t.Errorf("Commit twice: %v", err)
		}
		draft, err = to.Reserve(background, 4000)
		succeed(t, "Reserve", err)
		succeed(t, "Abort", draft.Abort())
		for _, err := range []error{
			draft.Abort(), channel.TopicDraft{}.Commit(0), second(to.Reserve(background, -1)),
		} {
			if err == nil {
				t.Error("what was nothing is ended, or begun")
			}
		}
		draft, err = other.Reserve(background, 10)
		succeed(t, "Reserve", err)
		succeed(t, "Close", other.Close())
		if err := draft.Commit(1); !errors.Is(err, os.ErrClosed) {
			t.Errorf("Commit after Close: %v", err)
		}
		publish(t, to, "after")
		expectNext(t, s, "after")
	})
}

func TestTopicClose(t *testing.T) {
	watchdog(t)
	to := topic(t, &channel.TopicOptions{Capacity: 4096})
	s, stays := subscribe(t, to, 0), subscribe(t, to, 0)
	ended := make(chan error)
	go func() { ended <- second(s.Receive(background, nil)) }()
	time.Sleep(5 * time.Millisecond)
	succeed(t, "Close", s.Close())
	if err := <-ended; !errors.Is(err, os.ErrClosed) {
		t.Errorf("Receive during Close: %v", err)
	}
	_, _, tryErr := s.TryReceive(nil)
	for what, err := range map[string]error{
		"Close": s.Close(), "Receive": second(s.Receive(background, nil)), "TryReceive": tryErr,
	} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s after Close: %v", what, err)
		}
	}
	other := openTopic(t, to.Name(), nil)
	go func() {
		for {
			if err := to.Publish(background, make([]byte, 100)); err != nil {
				ended <- err
				return
			}
		}
	}()
	time.Sleep(5 * time.Millisecond)
	succeed(t, "Close", to.Close())
	if err := <-ended; !errors.Is(err, os.ErrClosed) {
		t.Errorf("Publish during Close: %v", err)
	}
	for what, err := range map[string]error{
		"Close": to.Close(), "Publish": to.Publish(background, nil), "TryPublish": to.TryPublish(nil),
		"PublishBatch": second(to.PublishBatch(background, [][]byte{nil})),
		"Subscribe":    second(to.Subscribe(nil)), "Reserve": second(to.Reserve(background, 1)),
	} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s after Close: %v", what, err)
		}
	}
	for ok := true; ok; {
		_, ok, _ = stays.TryReceive(nil)
	}
	publish(t, other, "still")
	expectNext(t, stays, "still")
}

// TestTopicCloseInUse closes handles and subscriptions that goroutines use.
func TestTopicCloseInUse(t *testing.T) {
	policies(t, func(t *testing.T, overflow channel.Overflow) {
		to := topic(t, &channel.TopicOptions{Capacity: 4096, Overflow: overflow})
		reader := subscribe(t, to, 0)
		var readers sync.WaitGroup
		readers.Go(func() {
			for second(reader.Receive(background, nil)) == nil {
			}
		})
		for range 50 {
			c := openTopic(t, to.Name(), nil)
			s := subscribe(t, c, 1)
			var all sync.WaitGroup
			for range 2 {
				all.Go(func() {
					for c.Publish(background, make([]byte, 100)) == nil {
					}
				})
				all.Go(func() {
					for second(s.Receive(background, nil)) == nil {
					}
				})
			}
			runtime.Gosched()
			succeed(t, "Close", s.Close())
			succeed(t, "Close", c.Close())
			all.Wait()
		}
		succeed(t, "Close", reader.Close())
		readers.Wait()
		s := subscribe(t, to, 0)
		publish(t, to, "still")
		expectNext(t, s, "still")
	})
}

func TestTopicNames(t *testing.T) {
	watchdog(t)
	ns := filemaptest.New(t)
	if _, err := channel.OpenTopic(ns.Name("t"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("OpenTopic of none: %v", err)
	}
	awaited := make(chan error)
	go func() {
		to, err := channel.AwaitTopic(background, ns.Name("t"), nil)
		if err == nil {
			err = to.Close()
		}
		awaited <- err
	}()
	to, created, err := channel.OpenOrCreateTopic(ns.Name("t"), &channel.TopicOptions{Capacity: 5000})
	succeed(t, "OpenOrCreateTopic", err)
	defer to.Close()
	if !created || to.Capacity() != 8192 || to.Longest() != 8192-24 ||
		!strings.HasSuffix(to.Name(), ns.Name("t")) {
		t.Errorf("created %v, capacity %d, longest %d, name %s",
			created, to.Capacity(), to.Longest(), to.Name())
	}
	succeed(t, "AwaitTopic", <-awaited)
	s := subscribe(t, to, 0)
	if s.Name() != to.Name() {
		t.Errorf("a subscription of %s", s.Name())
	}
	_, _, err = channel.OpenOrCreateTopic(ns.Name("t"), &channel.TopicOptions{Capacity: 1 << 20})
	expectDiffers(t, err, "with a capacity of 8192 bytes, and was asked for with a capacity of 1048576 bytes")
	_, _, err = channel.OpenOrCreateTopic(ns.Name("t"), &channel.TopicOptions{Overflow: channel.Overwrite})
	expectDiffers(t, err, "with the Overflow Block, and was asked for with the Overflow Overwrite")
	lapped, err := channel.CreateTopic(ns.Name("lapped"), &channel.TopicOptions{Overflow: channel.Overwrite})
	succeed(t, "CreateTopic", err)
	defer lapped.Close()
	kept, _, err := channel.OpenOrCreateTopic(ns.Name("lapped"), nil)
	succeed(t, "OpenOrCreateTopic", err)
	if kept.Overflow() != channel.Overwrite {
		t.Errorf("Overflow: %v", kept.Overflow())
	}
	succeed(t, "Close", kept.Close())
	q, err := channel.CreateQueue(ns.Name("q"), nil)
	succeed(t, "CreateQueue", err)
	defer q.Close()
	if _, err := channel.OpenTopic(ns.Name("q"), nil); !errors.Is(err, object.ErrWrongKind) {
		t.Errorf("OpenTopic of a queue: %v", err)
	}
	if _, err := channel.CreateTopic(ns.Name("t"), nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("CreateTopic of one that exists: %v", err)
	}
	for _, opts := range []channel.TopicOptions{{Overflow: channel.Drop}, {Capacity: -1}} {
		if _, err := channel.CreateTopic(ns.Name("x"), &opts); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%+v: %v", opts, err)
		}
	}
	succeed(t, "Close", s.Close())
}

// TestTopicPlaces has more subscribe than there are places.
func TestTopicPlaces(t *testing.T) {
	watchdog(t)
	to := topic(t, &channel.TopicOptions{Capacity: 4096})
	var all []*channel.Subscription
	for {
		s, err := to.Subscribe(nil)
		if errors.Is(err, object.ErrNoSpace) {
			break
		}
		succeed(t, "Subscribe", err)
		all = append(all, s)
	}
	if len(all) != 119 {
		t.Errorf("%d subscriptions", len(all))
	}
	succeed(t, "Close", all[50].Close())
	all[50] = subscribe(t, to, 0)
	for i := range 50 {
		message := fmt.Sprintf("%01000d", i)
		publish(t, to, message)
		for _, s := range all {
			expectNext(t, s, message)
		}
	}
	for _, s := range all {
		succeed(t, "Close", s.Close())
	}
}
