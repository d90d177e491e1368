package ring

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/filemap-go/filemap/internal/race"
)

// heapSend sends messages of a length as the place of a number, one by
// one or a batch, and returns how many there was room for.
func heapSend(r *Ring, owner uint16, number uint64, length, batch int) (sent uint64) {
	e := LoadEnd(&r.Send.End)
	if !e.Take(&r.Send.End, owner) {
		return 0
	}
	position, a := r.Reserve(e.Position(), uint64(length), owner)
	switch {
	case a != Done:
	case batch > 1:
		messages := make([][]byte, batch)
		for i := range messages {
			messages[i] = ownedBy(owner, number+uint64(i), length)
		}
		var n int
		n, position = r.PutBatch(position, messages)
		sent = uint64(n)
	default:
		copy(r.Bytes(position, uint64(length)), ownedBy(owner, number, length))
		position, sent = r.Put(position, uint64(length)), 1
	}
	Leave(&r.Send.End, position)
	return sent
}

// sendEach sends so many messages of up to a length as the place of a number, one by
// one and in batches.
func sendEach(t *testing.T, r *Ring, owner uint16, each uint64, longest int) {
	random := rand.New(rand.NewPCG(uint64(owner), 1))
	for n := uint64(0); n < each && !t.Failed(); {
		batch := int(min(1+n%5, each-n))
		sent := heapSend(r, owner, n, 10+random.IntN(random.IntN(longest)+1), batch)
		if n += sent; sent == 0 {
			runtime.Gosched()
		}
	}
}

// ownedBy returns a message of a length that tells its owner and its number.
func ownedBy(owner uint16, number uint64, length int) []byte {
	m := binary.LittleEndian.AppendUint16(nil, owner)
	return append(m, stamped(number, length-len(m))...)
}

// heapReceive takes a message, if there is one, as the place of a number.
func heapReceive(r *Ring, owner uint16) (message []byte, err error) {
	e := LoadEnd(&r.Receive.End)
	if !e.Take(&r.Receive.End, owner) {
		return nil, nil
	}
	position, n, a, err := r.Next(e.Position())
	if a == Done {
		message = append(message, r.Bytes(position, n)...)
		position = r.Got(position, n)
	}
	Leave(&r.Receive.End, position)
	return message, err
}

// TestRingOnHeap runs senders and receivers over memory that the race detector
// sees. Each message comes once and whole, those of a sender in their order.
func TestRingOnHeap(t *testing.T) {
	const senders, receivers = 3, 2
	each := uint64(30_000)
	if race.Enabled {
		each = 5000
	}
	r := heapRing(4096)
	var all sync.WaitGroup
	var received atomic.Uint64
	for i := range senders {
		all.Go(func() { sendEach(t, &r, uint16(i+1), each, 900) })
	}
	for i := range receivers {
		all.Go(func() {
			next := make(map[uint16]uint64) // of each sender, at the least
			for received.Load() < senders*each && !t.Failed() {
				m, err := heapReceive(&r, uint16(senders+i+1))
				if err != nil {
					t.Error(err)
				}
				if m == nil {
					runtime.Gosched()
					continue
				}
				received.Add(1)
				owner, number := binary.LittleEndian.Uint16(m), binary.LittleEndian.Uint64(m[2:])
				if number < next[owner] || string(m) != string(ownedBy(owner, number, len(m))) {
					t.Errorf("message %d of %d, torn or after %d", number, owner, next[owner])
				}
				next[owner] = number + 1
			}
		})
	}
	all.Wait()
	if r.Send.Messages != senders*each || r.Receive.Messages != senders*each {
		t.Errorf("%d sent, %d received, of %d", r.Send.Messages, r.Receive.Messages, senders*each)
	}
}
