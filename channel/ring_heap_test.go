package channel

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/filemap-go/filemap/internal/race"
)

// heapSend sends messages of a length as who has the place of a number, one by
// one or a batch, and returns how many there was room for.
func heapSend(r *ring, owner uint16, number uint64, length, batch int) (sent uint64) {
	e := loadEnd(&r.send.end)
	if !e.take(&r.send.end, owner) {
		return 0
	}
	position, a := r.reserve(e.position(), recordSize(uint64(length)), owner)
	switch {
	case a != done:
	case batch > 1:
		messages := make([][]byte, batch)
		for i := range messages {
			messages[i] = ownedBy(owner, number+uint64(i), length)
		}
		var n int
		n, position = r.putBatch(position, messages)
		sent = uint64(n)
	default:
		copy(r.bytes(position, uint64(length)), ownedBy(owner, number, length))
		position, sent = r.put(position, uint64(length)), 1
	}
	leave(&r.send.end, position)
	return sent
}

// ownedBy returns a message of a length that tells its owner and its number.
func ownedBy(owner uint16, number uint64, length int) []byte {
	m := binary.LittleEndian.AppendUint16(nil, owner)
	return append(m, stamped(number, length-len(m))...)
}

// heapReceive takes a message, if there is one, as who has the place of a number.
func heapReceive(r *ring, owner uint16) (message []byte, err error) {
	e := loadEnd(&r.receive.end)
	if !e.take(&r.receive.end, owner) {
		return nil, nil
	}
	position, n, a, err := r.next(e.position())
	if a == done {
		message = append(message, r.bytes(position, n)...)
		position = r.got(position, n)
	}
	leave(&r.receive.end, position)
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
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 1))
			for n := uint64(0); n < each && !t.Failed(); {
				batch := int(min(1+n%5, each-n))
				sent := heapSend(&r, uint16(i+1), n, 10+random.IntN(random.IntN(900)+1), batch)
				if n += sent; sent == 0 {
					runtime.Gosched()
				}
			}
		})
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
	if r.send.messages != senders*each || r.receive.messages != senders*each {
		t.Errorf("%d sent, %d received, of %d", r.send.messages, r.receive.messages, senders*each)
	}
}
