package channel_test

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel"
)

// What another process writes where a channel keeps its records can make calls
// fail. It must not make them crash, hang, or touch other memory.

// scribbler writes to a queue's memory as any process may that has it open.
type scribbler struct{ v *filemap.View }

func newScribbler(t testing.TB, name string) scribbler {
	m, err := filemap.Open(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := m.View(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close(); _ = m.Close() })
	return scribbler{v}
}

// wordsEnd is where the words of a ring end; what follows decides on the places.
const wordsEnd = 512

// handsAt is where a queue's table of what is in hand begins.
const handsAt = 16 << 10

// scribble overwrites a word. Most often it is one of those that steer, or in the
// first entries of a queue's table.
func (s scribbler) scribble(where uint16, what uint64) {
	at := int64(where) * 8
	switch where % 4 {
	case 1, 2:
		at %= wordsEnd
	case 3:
		at = handsAt + at%128
	}
	var word [8]byte
	binary.LittleEndian.PutUint64(word[:], what)
	_, _ = s.v.WriteAt(word[:], at%(int64(s.v.Len())-8))
}

// use uses a queue in all ways, each for a moment.
func use(q *channel.Queue, way byte, length int) {
	ctx, cancel := context.WithTimeout(background, time.Millisecond)
	defer cancel()
	message := make([]byte, length)
	switch way % 12 {
	case 0, 8:
		_ = q.Send(ctx, message)
	case 1:
		_, _ = q.Receive(ctx, nil)
	case 2:
		_, _ = q.SendBatch(ctx, [][]byte{message, message})
	case 3:
		_, _ = q.Drain(ctx, func([]byte) error { return nil })
	case 4:
		if d, err := q.Reserve(ctx, length); err == nil {
			_ = d.Commit(length / 2)
		}
	case 5:
		if l, err := q.Next(ctx); err == nil {
			_ = l.Release()
		}
	case 6:
		_, _, _ = q.TryReceive(nil)
		_ = q.TrySend(message)
	case 7:
		_ = q.Flush(ctx)
		_, _ = channel.Inspect(q.Name())
	case 9:
		if m, err := q.Take(ctx); err == nil {
			_ = append([]byte(nil), m.Bytes()...)
			_ = m.Done()
		}
	case 10:
		if batch, err := q.TakeBatch(ctx, 1+length%5); err == nil {
			_ = batch[0].Return()
		}
	case 11:
		if m, ok, err := q.TryTake(); ok && err == nil && length%2 == 0 {
			_, _ = m.Return(), q.AwaitEmpty(ctx)
		}
	}
}

// TestQueueHostile scribbles while others send and receive.
func TestQueueHostile(t *testing.T) {
	watchdog(t)
	a, b := queue(t, &channel.QueueOptions{Capacity: 4096})
	s := newScribbler(t, a.Name())
	var stop atomic.Bool
	var calls, writes atomic.Int64
	var all sync.WaitGroup
	for _, q := range []*channel.Queue{a, a, b, b} {
		all.Go(func() {
			for !stop.Load() {
				use(q, byte(rand.Uint32()), rand.IntN(5000))
				calls.Add(1)
			}
		})
	}
	for end := time.Now().Add(500 * time.Millisecond); time.Now().Before(end); writes.Add(1) {
		what := rand.Uint64() >> rand.IntN(64) << rand.IntN(64)
		s.scribble(uint16(rand.Uint32()), what)
		if writes.Load()%64 == 0 { // so that some calls come to something
			for at := range uint16(wordsEnd / 8) {
				if at >= 128/8 {
					s.scribble(at-at%4+1, 0)
					s.scribble(at, 0)
				}
			}
			time.Sleep(time.Duration(rand.IntN(500)) * time.Microsecond)
		}
	}
	stop.Store(true)
	all.Wait()
	t.Logf("figures: hostile bytes: %d calls under %d writes", calls.Load(), writes.Load())
}
