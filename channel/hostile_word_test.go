package channel_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/object"
)

// Where the words are of which one hostile value is written.
const (
	receivingEnd = sendingEnd + 128
	firstPlace   = 1024
	placeSize    = 128
	positionAt   = 8 // in a place
)

func (s scribbler) write(at int64, word uint64) {
	_, _ = s.v.WriteAt(binary.LittleEndian.AppendUint64(nil, word), at)
}

// TestNoSuchOwner has an end owned by a place that there can't be: all calls that
// need the end say at once that the memory is corrupt, however they wait.
func TestNoSuchOwner(t *testing.T) {
	watchdog(t)
	for _, spin := range spins {
		t.Run(spin.String(), func(t *testing.T) {
			ns := filemaptest.New(t)
			q, err := channel.CreateQueue(ns.Name("q"), &channel.QueueOptions{Spin: spin})
			succeed(t, "CreateQueue", err)
			defer q.Close()
			succeed(t, "Send", q.Send(background, make([]byte, 8)))
			to, err := channel.CreateTopic(ns.Name("t"), &channel.TopicOptions{Spin: spin})
			succeed(t, "CreateTopic", err)
			defer to.Close()
			l, err := channel.CreateLatest(ns.Name("l"), 8, nil)
			succeed(t, "CreateLatest", err)
			defer l.Close()
			for _, channel := range []string{q.Name(), to.Name(), l.Name()} {
				for _, at := range []int64{sendingEnd, receivingEnd} {
					s := newScribbler(t, channel)
					s.write(at, s.word(at)|60000)
				}
			}
			_, _, tryErr := q.TryReceive(nil)
			for call, err := range map[string]error{
				"Send":           q.Send(background, nil),
				"TrySend":        q.TrySend(nil),
				"SendBatch":      second(q.SendBatch(background, [][]byte{nil, nil})),
				"Reserve":        second(q.Reserve(background, 8)),
				"Receive":        second(q.Receive(background, nil)),
				"TryReceive":     tryErr,
				"Drain":          second(q.Drain(background, func([]byte) error { return io.EOF })),
				"Next":           second(q.Next(background)),
				"Publish":        to.Publish(background, nil),
				"TryPublish":     to.TryPublish(nil),
				"PublishBatch":   second(to.PublishBatch(background, [][]byte{nil, nil})),
				"Topic.Reserve":  second(to.Reserve(background, 8)),
				"Write":          l.Write(make([]byte, 8)),
				"Latest.Reserve": second(l.Reserve()),
			} {
				if !errors.Is(err, object.ErrCorrupt) {
					t.Errorf("%s: %v", call, err)
				}
			}
		})
	}
}

// TestHostilePosition changes a bit of the position of a subscriber that a
// publisher waits for, and that no subscriber sets: the publisher no longer waits
// for it, and the subscriber says that its memory is corrupt.
func TestHostilePosition(t *testing.T) {
	watchdog(t)
	for _, spin := range spins {
		t.Run(spin.String(), func(t *testing.T) {
			for _, bit := range []int{1, 2, 51, 57, 63} {
				hostilePosition(t, spin, bit)
			}
		})
	}
}

func hostilePosition(t *testing.T, spin time.Duration, bit int) {
	opts := &channel.TopicOptions{Capacity: 4096, Spin: spin}
	to, err := channel.CreateTopic(filemaptest.New(t).Name("t"), opts)
	succeed(t, "CreateTopic", err)
	defer to.Close()
	reader, err := to.Subscribe(nil)
	succeed(t, "Subscribe", err)
	defer reader.Close()
	for err = nil; err == nil; {
		err = to.TryPublish(make([]byte, 500))
	}
	if !errors.Is(err, channel.ErrFull) {
		t.Fatal("TryPublish:", err)
	}
	s, at := newScribbler(t, to.Name()), int64(firstPlace+placeSize+positionAt)
	published := make(chan error)
	go func() { published <- to.Publish(background, make([]byte, 500)) }()
	select {
	case err := <-published:
		t.Fatalf("bit %d: published past the subscriber: %v", bit, err)
	case <-time.After(20 * time.Millisecond):
	}
	s.write(at, s.word(at)^1<<bit)
	ctx, cancel := context.WithTimeout(background, 10*time.Millisecond)
	defer cancel()
	if _, err := reader.Receive(ctx, nil); !errors.Is(err, object.ErrCorrupt) {
		t.Errorf("bit %d: Receive: %v", bit, err)
	}
	succeed(t, "Publish", <-published)
}
