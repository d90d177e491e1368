package channel_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
)

// TestTopicLaps has a subscriber overtaken, and count exactly.
func TestTopicLaps(t *testing.T) {
	watchdog(t)
	to := topic(t, &channel.TopicOptions{Capacity: 4096, Overflow: channel.Overwrite})
	if to.Overflow() != channel.Overwrite || openTopic(t, to.Name(), nil).Overflow() != channel.Overwrite {
		t.Error("it does not overwrite")
	}
	s := subscribe(t, to, 0)
	published, received := 0, 0
	for round := range 300 {
		for range round {
			succeed(t, "TryPublish", to.TryPublish(fmt.Appendf(nil, "%0*d", 20+published%200, published)))
			published++
		}
		for range round / 3 {
			message, ok, err := s.TryReceive(nil)
			succeed(t, "TryReceive", err)
			if !ok {
				break
			}
			want := received + int(s.Lost())
			if got := string(message); strings.TrimLeft(got, "0") != strings.TrimLeft(fmt.Sprint(want), "0") {
				t.Fatalf("message %s, with %d received and %d lost", got, received, s.Lost())
			}
			received++
		}
	}
	for ok := true; ok; received++ {
		_, ok, _ = s.TryReceive(nil)
	}
	received--
	if s.Lost() == 0 || received+int(s.Lost()) != published {
		t.Errorf("%d published, %d received, %d lost", published, received, s.Lost())
	}
	info, err := channel.Inspect(to.Name())
	succeed(t, "Inspect", err)
	m := info.Members[len(info.Members)-1]
	if m.Received != uint64(received) || m.Lost != s.Lost() || m.Lag != 0 {
		t.Errorf("Inspect: %+v", m)
	}
	succeed(t, "TryPublish", to.TryPublish(nil))
	info, err = channel.Inspect(to.Name())
	succeed(t, "Inspect", err)
	m = info.Members[len(info.Members)-1]
	ring := info.Rings[0]
	if m.Lag != 1 || ring.Lag != 1 || ring.Lost != s.Lost() || ring.Received != uint64(received) {
		t.Errorf("Inspect: %+v", info)
	}
	t.Logf("figures: %d published, %d received, %d lost", published, received, s.Lost())
}

// TestTopicLapsUnderFire has subscribers overtaken while they copy: what they
// get is whole, in order, and the losses add up.
func TestTopicLapsUnderFire(t *testing.T) {
	watchdog(t)
	const subscribers, messages = 2, 100_000
	to := topic(t, &channel.TopicOptions{Capacity: 8192, Overflow: channel.Overwrite})
	var all sync.WaitGroup
	for range subscribers {
		s := subscribe(t, to, 0)
		all.Go(func() {
			received := uint64(0)
			for buffer := []byte(nil); ; received++ {
				m, err := s.Receive(background, buffer)
				if err != nil {
					t.Error("Receive:", err)
					return
				}
				n := binary.LittleEndian.Uint64(m)
				if n != received+s.Lost() {
					t.Errorf("message %d, with %d received and %d lost", n, received, s.Lost())
					return
				}
				for k := 8; k < len(m); k++ {
					if m[k] != byte(n) {
						t.Errorf("message %d is torn at %d of %d", n, k, len(m))
						return
					}
				}
				if buffer = m; n == messages-1 {
					break
				}
			}
			t.Logf("figures: %d of %d received, %d lost", received+1, messages, s.Lost())
		})
	}
	for n := range messages {
		m := bytes.Repeat([]byte{byte(n)}, 8+n*37%3000)
		binary.LittleEndian.PutUint64(m, uint64(n))
		succeed(t, "TryPublish", to.TryPublish(m))
	}
	all.Wait()
}

// TestTopicWakes has many subscribers sleep: a message wakes them all, in far
// less time than after which each looks by itself.
func TestTopicWakes(t *testing.T) {
	policies(t, func(t *testing.T, overflow channel.Overflow) {
		const subscribers, rounds = 10, 30
		to := topic(t, &channel.TopicOptions{Overflow: overflow, Spin: channel.SpinNever})
		got := make(chan error, subscribers)
		for i := range subscribers {
			s := subscribe(t, to, 0)
			for range 1 + i%2 { // some have two goroutines, which each get every other message
				go func() {
					for {
						_, err := s.Receive(background, nil)
						if got <- err; err != nil {
							return
						}
					}
				}()
			}
		}
		var took []time.Duration
		for range rounds {
			time.Sleep(2 * time.Millisecond) // all are asleep
			start := time.Now()
			publish(t, to, "up")
			for range subscribers {
				succeed(t, "Receive", <-got)
			}
			took = append(took, time.Since(start))
		}
		slices.Sort(took)
		info, err := channel.Inspect(to.Name())
		succeed(t, "Inspect", err)
		t.Logf("figures: %d sleeping subscribers woken %d times, all of them in %v, %d sleeps",
			subscribers, rounds, took[rounds/2], info.Rings[0].ReceiveSleeps)
		if took[rounds/2] > 200*time.Millisecond { // a quarter of a second, that would be
			t.Error("some were not woken, but looked by themselves")
		}
		if info.Rings[0].ReceiveSleeps < subscribers*rounds/2 {
			t.Error("they did not sleep")
		}
	})
}

// TestTopicManyPublishers checks that every subscriber sees all messages, in
// the same order, which keeps that of each publisher.
func TestTopicManyPublishers(t *testing.T) {
	watchdog(t)
	for _, spin := range spins {
		publishers, subscribers, messages := 3, 3, 3000
		if spin == channel.SpinAlways { // that needs a processor for each
			publishers, subscribers = 1, 1
		}
		begin := time.Now()
		opts := &channel.TopicOptions{Capacity: 4096, Spin: spin}
		to := topic(t, opts)
		var all sync.WaitGroup
		sums := make([]uint64, subscribers)
		for i := range subscribers {
			s := subscribe(t, to, 0)
			all.Go(func() {
				next := make([]uint64, publishers)
				buffer := make([]byte, 0, 1000)
				for k := range publishers * messages {
					m, err := s.Receive(background, buffer)
					if err != nil || len(m) < 16 {
						t.Errorf("Receive: %d bytes, %v", len(m), err)
						return
					}
					from, n := binary.LittleEndian.Uint64(m), binary.LittleEndian.Uint64(m[8:])
					if n != next[from] {
						t.Errorf("message %d of %d, want %d", n, from, next[from])
					}
					next[from]++
					sums[i] += from * uint64(k)
				}
			})
		}
		for i := range publishers {
			p := openTopic(t, to.Name(), opts)
			all.Go(func() {
				for n := 0; n < messages; {
					var batch [][]byte
					for k := range 1 + n%5 {
						m := make([]byte, 16+n%100)
						binary.LittleEndian.PutUint64(m, uint64(i))
						binary.LittleEndian.PutUint64(m[8:], uint64(n+k))
						batch = append(batch, m)
					}
					batch = batch[:min(len(batch), messages-n)]
					err := error(nil)
					if len(batch) == 1 {
						err = p.Publish(background, batch[0])
					} else {
						_, err = p.PublishBatch(background, batch)
					}
					if err != nil {
						t.Error("Publish:", err)
						return
					}
					n += len(batch)
				}
			})
		}
		all.Wait()
		if slices.Max(sums) != slices.Min(sums) {
			t.Errorf("they saw different orders: %d", sums)
		}
		t.Logf("figures: %d messages to %d in %v", publishers*messages, subscribers, time.Since(begin))
	}
}

func BenchmarkTopic(b *testing.B) {
	for _, overflow := range topicOverflows {
		b.Run(overflow.String(), func(b *testing.B) {
			to, err := channel.CreateTopic(filemaptest.New(b).Name("t"),
				&channel.TopicOptions{Overflow: overflow})
			if err != nil {
				b.Fatal(err)
			}
			defer to.Close()
			s, err := to.Subscribe(nil)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			buffer, message := make([]byte, 100), make([]byte, 64)
			for b.Loop() {
				_ = to.Publish(background, message)
				_, _ = s.Receive(background, buffer)
			}
		})
	}
}

// BenchmarkTopicStream has one publish, and others receive at the same time.
func BenchmarkTopicStream(b *testing.B) {
	for _, overflow := range topicOverflows {
		b.Run(overflow.String(), func(b *testing.B) {
			to, err := channel.CreateTopic(filemaptest.New(b).Name("t"),
				&channel.TopicOptions{Overflow: overflow, Spin: channel.SpinAlways})
			if err != nil {
				b.Fatal(err)
			}
			defer to.Close()
			s, err := to.Subscribe(nil)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			ended := make(chan int)
			go func() {
				buffer, received := make([]byte, 100), 0
				for m := buffer; err == nil && len(m) > 0; received++ {
					m, err = s.Receive(background, buffer)
				}
				ended <- received
			}()
			message := make([]byte, 64)
			for b.Loop() {
				_ = to.Publish(background, message)
			}
			_ = to.Publish(background, nil)
			b.ReportMetric(float64(<-ended)/float64(b.N), "received/op")
		})
	}
}
