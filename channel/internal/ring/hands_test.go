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

// heapTake takes up to most messages in hand, those that were given back first.
func heapTake(r *Ring, owner uint16, most int) (taken []InHand, err error) {
	for len(taken) < most {
		m, _, a, err := r.Retake(owner)
		if err != nil {
			return taken, err
		}
		if a != Done {
			break
		}
		taken = append(taken, m)
	}
	e := LoadEnd(&r.Receive.End)
	if len(taken) == most || !e.Take(&r.Receive.End, owner) {
		return taken, nil
	}
	position := e.Position()
	defer func() { Leave(&r.Receive.End, position) }()
	for from := 0; len(taken) < most; {
		at, n, a, err := r.Next(position)
		if position = at; a != Done || err != nil {
			return taken, err
		}
		m, ok := r.Fill(from, position, n, owner)
		if !ok {
			return taken, nil
		}
		taken, from = append(taken, m), m.Entry+1
		position = r.Got(position, n)
	}
	return taken, nil
}

// handTaker takes messages, keeps some of them, and ends them in any order.
type handTaker struct {
	*testing.T
	r      *Ring
	owner  uint16
	random *rand.Rand
	held   []InHand
	count  []atomic.Uint32 // how often each message of each sender was ended
	each   uint64
}

// check returns which message one in hand is: its bytes must be whole.
func (h *handTaker) check(m InHand) uint64 {
	b := h.r.Bytes(m.Position, m.Length)
	owner, number := binary.LittleEndian.Uint16(b), binary.LittleEndian.Uint64(b[2:])
	if string(b) != string(ownedBy(owner, number, len(b))) {
		h.Errorf("the message at %d was overwritten in hand", m.Position)
		return 0
	}
	return uint64(owner-1)*h.each + number
}

// end ends one of those in hand, or gives it back.
func (h *handTaker) end() (ended uint64) {
	i := h.random.IntN(len(h.held))
	m := h.held[i]
	h.held = append(h.held[:i], h.held[i+1:]...)
	which := h.check(m)
	if h.random.IntN(8) == 0 {
		if !h.r.GiveBack(m, h.owner) {
			h.Errorf("what %d has in hand was another's", h.owner)
		}
		return 0
	}
	if h.count[which].Add(1) != 1 {
		h.Errorf("message %d was ended twice", which)
	}
	if !h.r.Free(m, h.owner) {
		h.Errorf("what %d has in hand was another's", h.owner)
	}
	return 1
}

// TestHandsOnHeap has takers keep messages while senders go around them, in
// memory that the race detector sees. Each message is ended once, and whole until
// then. Now and then a taker ends like one that dies: what it has goes to others.
func TestHandsOnHeap(t *testing.T) {
	const senders, takers = 2, 3
	each := uint64(20_000)
	if race.Enabled {
		each = 3000
	}
	r := heapRing(4096)
	count := make([]atomic.Uint32, senders*each)
	var ended atomic.Uint64
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() { sendEach(t, &r, uint16(i+1), each, 500) })
	}
	for i := range takers {
		all.Go(func() {
			h := &handTaker{T: t, r: &r, owner: uint16(senders + i + 1), count: count, each: each}
			h.random = rand.New(rand.NewPCG(uint64(i), 3))
			for ended.Load() < senders*each && !t.Failed() {
				taken, err := heapTake(&r, h.owner, 1+h.random.IntN(3))
				if err != nil {
					t.Error(err)
				}
				h.held = append(h.held, taken...)
				if len(taken) == 0 {
					runtime.Gosched()
				}
				for len(h.held) > h.random.IntN(8) {
					ended.Add(h.end())
				}
				if h.random.IntN(500) == 0 {
					r.GiveBackAll(h.owner)
					h.held = nil
				}
			}
		})
	}
	all.Wait()
	if r.Send.Messages != senders*each || r.Receive.Messages != senders*each || ended.Load() != senders*each {
		t.Errorf("%d sent, %d taken, %d ended, of %d", r.Send.Messages, r.Receive.Messages, ended.Load(), senders*each)
	}
	for i := range r.table {
		if r.table[i].word != 0 {
			t.Errorf("entry %d is left: %#x", i, r.table[i].word)
		}
	}
}

// TestHandsInTheWay is about one sender and what is in hand around it: it goes
// over what is in the way, and waits only where no gap is large enough.
func TestHandsInTheWay(t *testing.T) {
	seeds := uint64(40)
	if race.Enabled {
		seeds = 5
	}
	for seed := range seeds {
		random := rand.New(rand.NewPCG(seed, 4))
		r := heapRing(4096)
		h := &handTaker{T: t, r: &r, owner: 2, random: random, each: 1 << 40}
		h.count = make([]atomic.Uint32, 2000)
		number, waits := uint64(0), 0 // for what is in hand alone
		for range 1000 {
			length := 10 + random.IntN(random.IntN(1500)+1)
			sent := heapSend(&r, 1, number, length, 1)
			number += sent
			if sent == 0 && r.Send.End == r.Receive.End {
				waits++
				if gap := largestGap(&r); gap >= recordSize(uint64(length))+2*zeroedSize {
					t.Fatalf("seed %d: no room for %d bytes, in %d", seed, length, gap)
				}
			}
			if end := LoadEnd(&r.Send.End).Position(); !isZero(&r, end) {
				t.Fatalf("seed %d: what follows the sending end is not blank", seed)
			}
			taken, err := heapTake(&r, 2, 2)
			if err != nil {
				t.Fatal(err)
			}
			h.held = append(h.held, taken...)
			for i := range h.held {
				h.check(h.held[i])
			}
			for len(h.held) > 0 && random.IntN(100) < 45 || len(h.held) > 30 {
				h.end()
			}
		}
		if number < 400 || waits == 0 || t.Failed() {
			t.Fatalf("seed %d: %d of 1000 were sent, and %d times what was in hand was in the way", seed, number, waits)
		}
	}
}

// largestGap returns the size of the largest piece of the ring in which nothing
// is in hand, when all was received.
func largestGap(r *Ring) (largest uint64) {
	taken := make([]bool, r.Size()/8)
	for i := range r.table {
		if e := r.table[i].load(); e != 0 {
			for at := range recordSize(r.table[i].detail&(1<<lengthBits-1)) / 8 {
				taken[e.Position()&r.mask/8+at] = true
			}
		}
	}
	n := uint64(0)
	for _, is := range taken {
		if n += 8; is {
			n = 0
		}
		largest = max(largest, n)
	}
	return largest
}

func isZero(r *Ring, position uint64) bool {
	for at := uint64(0); at < zeroedSize; at += 8 {
		if *r.header(advance(position, at)) != 0 {
			return false
		}
	}
	return true
}
