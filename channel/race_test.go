package channel_test

import (
	"encoding/binary"
	"io"
	"testing"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
)

// The tests in this file are for the race detector. It must see that a message
// orders what its sender did before what its receiver does after, and that room
// orders what the receiver did before what the sender does after. They spin,
// because a bell would order that as well.

const (
	handOvers  = 100
	handedSize = 1000
	smallRoom  = 4096 / handedSize // the most messages that fit
)

// handOver has one goroutine send what another receives. Each message stands for a
// cell of this process's memory. The cell of a message is used again for one that
// has room only because the message after the first has been received.
func handOver(t *testing.T, room int, send, receive func() error) {
	t.Helper()
	watchdog(t)
	cells := make([]int, room+2)
	ended := make(chan error, 1)
	go func() {
		for i := range handOvers {
			if err := receive(); err != nil {
				ended <- err
				return
			}
			if got := cells[i%len(cells)]; got != i {
				t.Errorf("message %d came with cell %d", i, got)
			}
		}
		ended <- nil
	}()
	for i := range handOvers {
		cells[i%len(cells)] = i
		succeed(t, "send", send())
	}
	succeed(t, "receive", <-ended)
}

func TestQueueOrders(t *testing.T) {
	message := make([]byte, handedSize)
	ways := map[string]struct{ send, receive func(q *channel.Queue) error }{
		"copied": {
			func(q *channel.Queue) error { return q.Send(background, message) },
			func(q *channel.Queue) error { return second(q.Receive(background, nil)) },
		},
		"in place": {
			func(q *channel.Queue) error {
				draft, err := q.Reserve(background, handedSize)
				if err != nil {
					return err
				}
				return draft.Commit(handedSize)
			},
			func(q *channel.Queue) error {
				lease, err := q.Next(background)
				if err != nil {
					return err
				}
				return lease.Release()
			},
		},
		"in hand": {
			func(q *channel.Queue) error { return q.Send(background, message) },
			func(q *channel.Queue) error {
				taken, err := q.Take(background)
				if err != nil {
					return err
				}
				return taken.Done()
			},
		},
		"batch and TryReceive": {
			func(q *channel.Queue) error { return second(q.SendBatch(background, [][]byte{message})) },
			func(q *channel.Queue) error {
				for {
					if _, ok, err := q.TryReceive(nil); ok || err != nil {
						return err
					}
				}
			},
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			a, b := queue(t, &channel.QueueOptions{Capacity: 4096, Spin: channel.SpinAlways})
			handOver(t, smallRoom, func() error { return way.send(a) }, func() error { return way.receive(b) })
		})
	}
}

func TestTopicOrders(t *testing.T) {
	message := make([]byte, handedSize)
	copied := func(to *channel.Topic) error { return to.Publish(background, message) }
	inPlace := func(to *channel.Topic) error {
		draft, err := to.Reserve(background, handedSize)
		if err != nil {
			return err
		}
		return draft.Commit(handedSize)
	}
	policies(t, func(t *testing.T, overflow channel.Overflow) {
		capacity, room := int64(4096), smallRoom
		if overflow == channel.Overwrite { // nothing is lost
			capacity, room = 0, handOvers
		}
		for name, send := range map[string]func(*channel.Topic) error{"copied": copied, "in place": inPlace} {
			t.Run(name, func(t *testing.T) {
				to := topic(t, &channel.TopicOptions{Capacity: capacity, Overflow: overflow, Spin: channel.SpinAlways})
				s := subscribe(t, to, 0)
				handOver(t, room, func() error { return send(to) }, func() error {
					return second(s.Receive(background, nil))
				})
			})
		}
	})
}

func TestLatestOrders(t *testing.T) {
	t.Run("copied", func(t *testing.T) {
		testLatestOrders(t, (*channel.Latest).Write, func(l *channel.Latest, after uint64) (uint64, uint64, error) {
			buffer := make([]byte, 8)
			version, err := l.Wait(background, after, buffer)
			return version, binary.LittleEndian.Uint64(buffer), err
		})
	})
	t.Run("in place", func(t *testing.T) {
		testLatestOrders(t, func(l *channel.Latest, value []byte) error {
			draft, err := l.Reserve()
			if err != nil {
				return err
			}
			copy(draft.Bytes(), value)
			return draft.Commit()
		}, func(l *channel.Latest, after uint64) (version, value uint64, err error) {
			lease, err := l.Next(background, after)
			if err != nil {
				return 0, 0, err
			}
			return lease.Version(), binary.LittleEndian.Uint64(lease.Bytes()), lease.Release()
		})
	})
}

// testLatestOrders has one goroutine write values, each of which stands for a cell of
// this process's memory, and another read the newest.
func testLatestOrders(
	t *testing.T, write func(*channel.Latest, []byte) error,
	next func(l *channel.Latest, after uint64) (version, value uint64, err error),
) {
	watchdog(t)
	name := filemaptest.New(t).Name("latest")
	opts := &channel.LatestOptions{Spin: channel.SpinAlways}
	writer, err := channel.CreateLatest(name, 8, opts)
	succeed(t, "CreateLatest", err)
	defer writer.Close()
	reader, err := channel.OpenLatest(name, opts)
	succeed(t, "OpenLatest", err)
	defer reader.Close()
	var cells [handOvers]int
	ended := make(chan error, 1)
	go func() {
		for version := uint64(0); version < handOvers; {
			var i uint64
			var err error
			if version, i, err = next(reader, version); err != nil {
				ended <- err
				return
			}
			if cells[i] != int(i) {
				t.Errorf("value %d came with cell %d", i, cells[i])
			}
		}
		ended <- nil
	}()
	for i := range handOvers {
		cells[i] = i
		succeed(t, "write", write(writer, binary.LittleEndian.AppendUint64(nil, uint64(i))))
	}
	succeed(t, "read", <-ended)
}

func TestConnOrders(t *testing.T) {
	l := listener(t, filemaptest.New(t).Name("service"), &channel.ListenOptions{
		Capacity: 4096, Spin: channel.SpinAlways,
	})
	dialed, err := channel.Dial(background, l.Addr().String(), &channel.DialOptions{Spin: channel.SpinAlways})
	succeed(t, "Dial", err)
	defer dialed.Close()
	accepted, err := l.AcceptConn(background)
	succeed(t, "Accept", err)
	defer accepted.Close()
	message, buffer := make([]byte, handedSize), make([]byte, handedSize)
	handOver(t, smallRoom,
		func() error { return second(dialed.Write(message)) },
		func() error { return second(io.ReadFull(accepted, buffer)) })

	cell := 0
	ended := make(chan error, 1)
	go func() {
		cell = 1
		ended <- dialed.CloseWrite()
	}()
	if _, err := accepted.Read(buffer); err != io.EOF || cell != 1 {
		t.Errorf("Read: %v; cell %d", err, cell)
	}
	succeed(t, "CloseWrite", <-ended)
}
