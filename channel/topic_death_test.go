package channel_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel"
)

func init() {
	roles["subscribe"] = func(name string) error {
		to, err := channel.OpenTopic(name, nil)
		if err != nil {
			return err
		}
		_, err = to.Subscribe(nil)
		say("subscribed")
		time.Sleep(time.Hour)
		return err
	}
	roles["hold topic"] = func(name string) error {
		to, err := channel.OpenTopic(name, nil)
		if err != nil {
			return err
		}
		err = to.Publish(background, []byte("last"))
		if err == nil {
			_, err = to.Reserve(background, 1000)
		}
		say("held")
		time.Sleep(time.Hour)
		return err
	}
	roles["storm publisher"] = stormPublisher
	roles["storm subscriber"] = stormSubscriber
}

var spins = []time.Duration{channel.SpinAdaptive, channel.SpinNever, channel.SpinAlways}

// TestTopicSubscriberDies kills subscribers who have not received anything:
// before the publisher waits for them, and while it does.
func TestTopicSubscriberDies(t *testing.T) {
	watchdog(t)
	for _, spin := range spins {
		for _, before := range []bool{true, false} {
			to := topic(t, &channel.TopicOptions{Capacity: 4096, Spin: spin})
			s := subscribe(t, to, 0)
			for range 2 {
				victim := start(t, "subscribe", to.Name())
				victim.await(t, "subscribed")
				if before {
					victim.kill()
				} else {
					time.AfterFunc(10*time.Millisecond, victim.kill)
				}
			}
			for i := range 20 {
				publish(t, to, fmt.Sprintf("%01000d", i))
				expectNext(t, s, fmt.Sprintf("%01000d", i))
			}
		}
	}
	// Who does not wait finds out, too, and they no longer count as members.
	to := topic(t, &channel.TopicOptions{Capacity: 4096})
	for range 3 {
		victim := start(t, "subscribe", to.Name())
		victim.await(t, "subscribed")
		victim.kill()
	}
	for range 20 {
		succeed(t, "TryPublish", to.TryPublish(make([]byte, 1000)))
	}
	info, err := channel.Inspect(to.Name())
	succeed(t, "Inspect", err)
	if n := len(info.Members); n < 1 || n > 4 {
		t.Errorf("%d members", n)
	}
}

// TestTopicPublisherDies kills a publisher that has the end: what it published
// is there, and others publish.
func TestTopicPublisherDies(t *testing.T) {
	watchdog(t)
	for _, spin := range spins {
		for _, before := range []bool{true, false} {
			to := topic(t, &channel.TopicOptions{Spin: spin, Overflow: channel.Overwrite})
			s := subscribe(t, to, 0)
			publish(t, to, "first")
			victim := start(t, "hold topic", to.Name())
			victim.await(t, "held")
			if before {
				victim.kill()
			} else {
				time.AfterFunc(10*time.Millisecond, victim.kill)
			}
			publish(t, to, "next")
			for _, want := range []string{"first", "last", "next"} {
				expectNext(t, s, want)
			}
			if s.Lost() != 0 {
				t.Errorf("%d are lost", s.Lost())
			}
		}
	}
	to := topic(t, nil)
	victim := start(t, "hold topic", to.Name())
	victim.await(t, "held")
	victim.kill()
	succeed(t, "TryPublish", to.TryPublish(nil))
	victim = start(t, "hold topic", to.Name())
	victim.await(t, "held")
	victim.kill()
	s := subscribe(t, to, 2) // takes the place of the dead
	subscribe(t, to, 0)
	publish(t, to, "x")
	expectNext(t, s, "")
	expectNext(t, s, "last")
	expectNext(t, s, "x")
}

// stormPublisher publishes messages that tell who they are from, and count.
func stormPublisher(name string) error {
	to, err := channel.OpenTopic(name, nil)
	if err != nil {
		return err
	}
	say("ready")
	message := make([]byte, 3000)
	binary.LittleEndian.PutUint64(message, rand.Uint64()) // numbers of processes come back
	for n := uint64(0); ; n++ {
		binary.LittleEndian.PutUint64(message[8:], n)
		length := 16 + rand.IntN(rand.IntN(len(message)-16)+1)
		if n%5 == 4 {
			draft, err := to.Reserve(background, length)
			if err != nil {
				return err
			}
			copy(draft.Bytes(), message)
			if err := draft.Commit(length); err != nil {
				return err
			}
			continue
		}
		if err := to.Publish(background, message[:length]); err != nil {
			return err
		}
	}
}

// stormReader checks what comes in a storm: nothing is missing of a publisher,
// unless it was overwritten.
type stormReader struct {
	s        *channel.Subscription
	next     map[uint64]uint64
	received uint64
}

func (r *stormReader) read(ctx context.Context, buffer []byte) ([]byte, error) {
	m, err := r.s.Receive(ctx, buffer)
	if err != nil {
		return m, err
	}
	from, n := binary.LittleEndian.Uint64(m), binary.LittleEndian.Uint64(m[8:])
	want, known := r.next[from]
	if known && n != want && (n < want || r.s.Lost() == 0) {
		return m, fmt.Errorf("message %d of %d, want %d: %w", n, from, want, errStorm)
	}
	r.next[from] = n + 1
	r.received++
	return m, nil
}

var errStorm = errors.New("a storm did harm")

const stormExit = 7

func stormSubscriber(name string) error {
	to, err := channel.OpenTopic(name, nil)
	if err != nil {
		return err
	}
	s, err := to.Subscribe(&channel.SubscribeOptions{Last: rand.IntN(20)})
	if err != nil {
		return err
	}
	say("ready")
	r := stormReader{s: s, next: map[uint64]uint64{}}
	for buffer := []byte(nil); err == nil; {
		buffer, err = r.read(background, buffer)
	}
	fmt.Fprintln(os.Stderr, "storm subscriber:", err)
	os.Exit(stormExit)
	return nil
}

// TestTopicStorm kills publishers and subscribers at any moment. One subscriber
// stays, and misses nothing.
func TestTopicStorm(t *testing.T) {
	kills := 150
	if os.Getenv("FILEMAP_TEST_LONG") != "" {
		kills = 5000
	}
	for _, overflow := range topicOverflows {
		to := topic(t, &channel.TopicOptions{Capacity: 1 << 14, Overflow: overflow})
		r := stormReader{s: subscribe(t, to, 0), next: map[uint64]uint64{}}
		ended, end := context.WithCancel(background)
		read := make(chan error)
		go func() {
			var buffer []byte
			for {
				var err error
				if buffer, err = r.read(ended, buffer); err != nil {
					read <- err
					return
				}
			}
		}()
		storm(t, to.Name(), kills)
		for i := range 20 { // nobody is in the way
			message := binary.LittleEndian.AppendUint64(make([]byte, 8, 5000), uint64(i))
			ctx, cancel := context.WithTimeout(background, time.Minute)
			if err := to.Publish(ctx, message[:5000]); err != nil {
				t.Errorf("Publish after a storm: %v", err)
			}
			cancel()
		}
		end()
		if err := <-read; !errors.Is(err, context.Canceled) {
			t.Errorf("the one who stays: %v", err)
		}
		for ok := true; ok; {
			var err error
			if _, ok, err = r.s.TryReceive(nil); err != nil {
				t.Fatal(err)
			} else if ok {
				r.received++
			}
		}
		info, err := channel.Inspect(to.Name())
		succeed(t, "Inspect", err)
		sent, lost := info.Rings[0].Sent, r.s.Lost()
		if sent != r.received+lost || overflow == channel.Block && lost > 0 {
			t.Errorf("%d published, %d received, %d lost", sent, r.received, lost)
		}
		t.Logf("figures: %d kills, %d messages of %d publishers received, %d lost",
			kills, r.received, len(r.next), r.s.Lost())
	}
}

// storm starts and kills processes, some at a time.
func storm(t *testing.T, name string, kills int) {
	const atOnce = 3
	var all sync.WaitGroup
	for i := range atOnce {
		all.Go(func() {
			for k := range kills / atOnce {
				victim := start(t, []string{"storm publisher", "storm subscriber"}[(i+k)%2], name)
				lives := time.AfterFunc(time.Minute, victim.kill)
				victim.output.Scan()
				if victim.output.Text() != "ready" {
					t.Errorf("a victim said %q", victim.output.Text())
				}
				time.Sleep(time.Duration(rand.IntN(10_000)) * time.Microsecond)
				if !lives.Stop() {
					t.Error("a victim hung")
				}
				victim.kill()
				if victim.cmd.ProcessState.ExitCode() == stormExit {
					t.Error("a victim saw harm")
				}
			}
		})
	}
	all.Wait()
}

// TestTopicNonsense has somebody scribble over a topic in use: that gives
// errors, or the wrong messages, and no more.
func TestTopicNonsense(t *testing.T) {
	policies(t, func(t *testing.T, overflow channel.Overflow) {
		random := rand.New(rand.NewPCG(3, uint64(overflow)))
		for range 30 {
			to := topic(t, &channel.TopicOptions{Capacity: 4096, Overflow: overflow})
			vandalize(t, to, random)
			succeed(t, "Close", to.Close())
		}
	})
}

// vandalize uses a topic while random words of its mapping change.
func vandalize(t *testing.T, to *channel.Topic, random *rand.Rand) {
	ctx, cancel := context.WithTimeout(background, 30*time.Millisecond)
	defer cancel()
	var all sync.WaitGroup
	for range 2 {
		s := subscribe(t, to, 0)
		all.Go(func() {
			for ctx.Err() == nil {
				_, _ = s.Receive(ctx, nil)
			}
			_ = s.Close()
		})
		all.Go(func() {
			for ctx.Err() == nil {
				_ = to.Publish(ctx, make([]byte, 300))
				_ = to.TryPublish(make([]byte, 30))
				_, _ = to.PublishBatch(ctx, [][]byte{make([]byte, 300), nil})
				if late, err := to.Subscribe(&channel.SubscribeOptions{Last: 5}); err == nil {
					_ = late.Close()
				}
			}
		})
	}
	m, err := filemap.Open(to.Name(), nil)
	succeed(t, "Open", err)
	defer m.Close()
	v, err := m.View(128, 0)
	succeed(t, "View", err)
	defer v.Close()
	for ctx.Err() == nil {
		at := int64(random.IntN(v.Len()/8)) * 8
		if random.IntN(2) == 0 {
			at %= 4096
		}
		succeed(t, "Store", filemap.Store(v, at, random.Uint64()>>random.IntN(64)))
		time.Sleep(50 * time.Microsecond)
	}
	all.Wait()
}
