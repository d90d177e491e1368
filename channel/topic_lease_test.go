package channel_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/filemap-go/filemap/channel"
)

func next(t *testing.T, s *channel.Subscription, want string) channel.TopicLease {
	t.Helper()
	lease, err := s.Next(background)
	succeed(t, "Next", err)
	if string(lease.Bytes()) != want {
		t.Errorf("leased %q, want %q", lease.Bytes(), want)
	}
	return lease
}

func expectNothing(t *testing.T, s *channel.Subscription) {
	t.Helper()
	if _, ok, err := s.TryReceive(nil); ok || err != nil {
		t.Errorf("TryReceive: %v, %v", ok, err)
	}
	soon, cancel := context.WithTimeout(background, time.Millisecond)
	defer cancel()
	for _, err := range []error{second(s.Receive(soon, nil)), second(s.Next(soon))} {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("received: %v", err)
		}
	}
}

func TestTopicLease(t *testing.T) {
	policies(t, func(t *testing.T, overflow channel.Overflow) {
		to := topic(t, &channel.TopicOptions{Overflow: overflow})
		one, other := subscribe(t, to, 0), subscribe(t, to, 0)
		expectNothing(t, one)
		for _, m := range []string{"a", "", "c"} {
			publish(t, to, m)
		}
		first := next(t, one, "a")
		expectNothing(t, one)
		for _, m := range []string{"a", "", "c"} {
			expectNext(t, other, m)
		}
		if one.Lost() != 0 {
			t.Errorf("%d are lost", one.Lost())
		}
		succeed(t, "Release", first.Release())
		empty := next(t, one, "")
		for _, err := range []error{first.Release(), channel.TopicLease{}.Release()} {
			if !errors.Is(err, os.ErrClosed) {
				t.Errorf("Release once more: %v", err)
			}
		}
		succeed(t, "Release", empty.Release())
		last := next(t, one, "c")
		succeed(t, "Close", one.Close())
		for _, err := range []error{last.Release(), second(one.Next(background))} {
			if !errors.Is(err, os.ErrClosed) {
				t.Errorf("after Close: %v", err)
			}
		}
	})
}

// TestTopicLeaseHoldsRoom has a publisher wait for a lease.
func TestTopicLeaseHoldsRoom(t *testing.T) {
	watchdog(t)
	to := topic(t, &channel.TopicOptions{Capacity: 4096})
	s := subscribe(t, to, 0)
	publish(t, to, "leased")
	lease := next(t, s, "leased")
	for to.TryPublish(make([]byte, 500)) == nil {
	}
	for _, message := range [][]byte{make([]byte, 500), make([]byte, to.Longest())} {
		if err := to.TryPublish(message); !errors.Is(err, channel.ErrFull) {
			t.Errorf("TryPublish: %v", err)
		}
	}
	published := make(chan error)
	go func() { published <- to.Publish(background, make([]byte, 12)) }()
	for round := range 100 { // what the lease holds, nobody writes
		if string(lease.Bytes()) != "leased" {
			t.Fatalf("round %d: %q", round, lease.Bytes())
		}
		time.Sleep(10 * time.Microsecond)
	}
	succeed(t, "Release", lease.Release())
	for range 7 {
		lease, err := s.Next(background)
		succeed(t, "Next", err)
		succeed(t, "Release", lease.Release())
	}
	succeed(t, "Publish", <-published)
}

// TestTopicLeaseOverwritten has publishers overwrite what is leased: Release says
// so, and the message is lost.
func TestTopicLeaseOverwritten(t *testing.T) {
	watchdog(t)
	to := topic(t, &channel.TopicOptions{Capacity: 4096, Overflow: channel.Overwrite})
	s := subscribe(t, to, 0)
	published, received, overwritten := 0, 0, 0
	for ; published < 2000; published++ {
		publish(t, to, "a message")
		if published%7 > 0 {
			continue
		}
		lease, err := s.Next(background)
		succeed(t, "Next", err)
		for range published % 300 {
			succeed(t, "Publish", to.Publish(background, make([]byte, 9)))
			published++
		}
		switch err := lease.Release(); {
		case err == nil:
			received++
		case errors.Is(err, channel.ErrOverwritten):
			overwritten++
		default:
			t.Fatal("Release:", err)
		}
	}
	for ; ; received++ {
		if _, ok, err := s.TryReceive(nil); !ok {
			succeed(t, "TryReceive", err)
			break
		}
	}
	if overwritten == 0 || uint64(received)+s.Lost() != uint64(published) || s.Lost() < uint64(overwritten) {
		t.Errorf("%d received, %d lost, of which %d leased, of %d", received, s.Lost(), overwritten, published)
	}
}

// TestTopicLeaseWakes has receivers of one subscription asleep while another has a
// lease. If Release did not wake one, each round would take a quarter of a second.
func TestTopicLeaseWakes(t *testing.T) {
	watchdog(t)
	to := topic(t, &channel.TopicOptions{Spin: channel.SpinNever})
	s := subscribe(t, to, 0)
	received := make(chan error)
	for range 500 {
		publish(t, to, "a")
		publish(t, to, "b")
		lease := next(t, s, "a")
		go func() { received <- second(s.Receive(background, nil)) }()
		time.Sleep(100 * time.Microsecond)
		succeed(t, "Release", lease.Release())
		succeed(t, "Receive", <-received)
	}
}

func init() {
	roles["lease topic"] = func(name string) error {
		to, err := channel.OpenTopic(name, nil)
		if err != nil {
			return err
		}
		s, err := to.Subscribe(nil)
		if err != nil {
			return err
		}
		say("subscribed")
		if _, err = s.Next(background); err != nil {
			return err
		}
		say("leased")
		time.Sleep(time.Hour)
		return nil
	}
}

// TestTopicDeadLease kills a process that has leased what a publisher waits for.
func TestTopicDeadLease(t *testing.T) {
	watchdog(t)
	to := topic(t, &channel.TopicOptions{Capacity: 4096})
	c := start(t, "lease topic", to.Name())
	c.await(t, "subscribed")
	publish(t, to, "leased")
	c.await(t, "leased")
	for to.TryPublish(make([]byte, 500)) == nil {
	}
	c.kill()
	for range 20 {
		publish(t, to, "a message after its death")
	}
}
