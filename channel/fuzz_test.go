package channel_test

import (
	"context"
	"encoding/binary"
	"testing"
	"time"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/object"
)

// Each of these has the input write to the memory of a channel between calls: of
// each 12 bytes it is a word, where it goes, and which call follows.

func fuzz(f *testing.F, test func(t *testing.T, input []byte)) {
	f.Add([]byte("\x12\x00\xff\xff\xff\xff\xff\xff\xff\xff\x00\x10"))
	f.Add([]byte("\x30\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x10" +
		"\x10\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("\x10\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x10" +
		"\x25\x00\xff\x00\x00\x00\x00\x00\x00\x00\x03\x20"))
	f.Fuzz(test)
}

// eachCall scribbles and calls as an input says.
func (s scribbler) eachCall(input []byte, call func(ctx context.Context, way byte, length int)) {
	for len(input) >= 12 {
		s.scribble(binary.LittleEndian.Uint16(input), binary.LittleEndian.Uint64(input[2:]))
		ctx, cancel := context.WithTimeout(background, time.Millisecond)
		call(ctx, input[10], int(input[11])*20)
		cancel()
		input = input[12:]
	}
}

func FuzzQueue(f *testing.F) {
	fuzz(f, func(t *testing.T, input []byte) {
		opts := &channel.QueueOptions{Capacity: 4096}
		q, err := channel.CreateQueue(filemaptest.New(t).Name("q"), opts)
		succeed(t, "CreateQueue", err)
		defer q.Close()
		_ = q.Send(background, []byte("a message"))
		newScribbler(t, q.Name()).eachCall(input, func(_ context.Context, way byte, length int) {
			use(q, way, length)
		})
	})
}

func FuzzTopic(f *testing.F) {
	fuzz(f, func(t *testing.T, input []byte) {
		opts := &channel.TopicOptions{Capacity: 4096}
		if len(input)%2 == 1 {
			opts.Overflow = channel.Overwrite
		}
		to, err := channel.CreateTopic(filemaptest.New(t).Name("t"), opts)
		succeed(t, "CreateTopic", err)
		defer to.Close()
		_ = to.Publish(background, []byte("a message"))
		reader, err := to.Subscribe(&channel.SubscribeOptions{Last: 1})
		succeed(t, "Subscribe", err)
		defer reader.Close()
		newScribbler(t, to.Name()).eachCall(input, func(ctx context.Context, way byte, length int) {
			useTopic(ctx, to, reader, way, length)
		})
	})
}

// useTopic uses a topic in one of all ways.
func useTopic(
	ctx context.Context, to *channel.Topic, reader *channel.Subscription, way byte, length int,
) {
	message := make([]byte, length)
	switch way % 9 {
	case 0:
		_ = to.Publish(ctx, message)
	case 1:
		_, _ = reader.Receive(ctx, nil)
	case 2:
		_, _ = to.PublishBatch(ctx, [][]byte{message, message})
	case 3:
		_, _, _ = reader.TryReceive(nil)
	case 4:
		if d, err := to.Reserve(ctx, length); err == nil {
			_ = d.Commit(length / 2)
		}
	case 5:
		if late, err := to.Subscribe(&channel.SubscribeOptions{Last: length % 7}); err == nil {
			_, _, _ = late.TryReceive(nil)
			_ = late.Close()
		}
	case 6:
		_ = to.TryPublish(message)
	case 7:
		if d, err := to.Reserve(ctx, length); err == nil {
			_ = d.Abort()
		}
		_, _ = channel.Inspect(to.Name())
	case 8:
		if lease, err := reader.Next(ctx); err == nil {
			_ = to.TryPublish(message)
			copy(message, lease.Bytes())
			_ = lease.Release()
		}
	}
}

func FuzzLatest(f *testing.F) {
	fuzz(f, func(t *testing.T, input []byte) {
		l, err := channel.CreateLatest(filemaptest.New(t).Name("l"), 1000, nil)
		succeed(t, "CreateLatest", err)
		defer l.Close()
		other, err := channel.OpenLatest(l.Name(), nil)
		succeed(t, "OpenLatest", err)
		s, value := newScribbler(t, l.Name()), make([]byte, 1000)
		s.eachCall(input, func(ctx context.Context, way byte, length int) {
			free := s.word(sendingEnd)&0xffff != 2 // else a write would wait for long
			switch way % 7 {
			case 0:
				if free {
					_ = l.Write(value)
				}
			case 4:
				if free {
					if d, err := l.Reserve(); err == nil {
						s.scribble(uint16(length), uint64(way))
						clear(d.Bytes())
						_ = d.Commit()
					}
				}
			case 5:
				if lease, err := l.Next(ctx, uint64(length)); err == nil {
					copy(value, lease.Bytes())
					_ = lease.Release()
				}
			case 6:
				if lease, err := other.Lease(); err == nil { // until other is closed
					copy(value, lease.Bytes())
				}
			case 1:
				_, _ = l.Read(value)
			case 2:
				_, _ = l.Wait(ctx, uint64(length), value)
			case 3:
				_, _ = channel.Inspect(l.Name())
				_, _ = other.Read(value)
			}
		})
		_ = other.Close()
	})
}

const sendingEnd = 128

func (s scribbler) word(at int64) uint64 {
	var word [8]byte
	_, _ = s.v.ReadAt(word[:], at)
	return binary.LittleEndian.Uint64(word[:])
}

func FuzzConn(f *testing.F) {
	fuzz(f, func(t *testing.T, input []byte) {
		opts := &channel.ListenOptions{Capacity: 4096}
		l, err := channel.Listen(filemaptest.New(t).Name("s"), opts)
		succeed(t, "Listen", err)
		defer l.Close()
		a, err := channel.Dial(background, l.Addr().String(), nil)
		succeed(t, "Dial", err)
		defer a.Close()
		s := newScribbler(t, mappingOf(t, l.Addr().String()+"~s*"))
		if len(input)%3 == 1 { // the rings, not the session
			s = newScribbler(t, mappingOf(t, l.Addr().String()+"~s*~b1"))
		}
		sides := [2]*channel.Conn{a, a}
		if len(input)%2 == 1 { // else what is written comes before it is accepted
			if sides[1], err = l.AcceptConn(background); err == nil {
				defer sides[1].Close()
			}
		}
		s.eachCall(input, func(ctx context.Context, way byte, length int) {
			c := sides[way&1]
			_ = c.SetDeadline(time.Now().Add(time.Millisecond))
			switch way >> 1 % 4 {
			case 0:
				_, _ = c.Write(make([]byte, length))
			case 1:
				_, _ = c.Read(make([]byte, 1+length))
			case 2:
				_ = c.CloseWrite()
			case 3:
				if late, err := l.AcceptConn(ctx); err == nil {
					defer late.Close()
				}
			}
		})
	})
}

// mappingOf returns the name of the one mapping that a pattern matches.
func mappingOf(t *testing.T, pattern string) string {
	t.Helper()
	found, err := inspect.List(background, pattern)
	succeed(t, "List", err)
	for _, o := range found {
		if o.Kind == object.Mapping.String() {
			return o.Name
		}
	}
	t.Fatalf("no mapping is called %s", pattern)
	return ""
}
