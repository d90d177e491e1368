package ring

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/filemap-go/filemap/internal/race"
)

// heapPublish publishes a message as the place of a number, and reports
// whether there was room.
func heapPublish(s *Broadcast, owner uint16, message []byte, batch int) (ok bool) {
	for {
		e := LoadEnd(&s.Send.End)
		if !e.Take(&s.Send.End, owner) {
			runtime.Gosched()
			continue
		}
		position, a := s.Reserve(e.Position(), uint64(len(message)), owner)
		switch {
		case a != Done:
			s.Hurry(a.Owner())
		case batch > 1:
			messages := make([][]byte, batch)
			for i := range messages {
				messages[i] = stamped(s.Send.Messages+uint64(i), len(message))
			}
			_, position = s.FinishBatch(position, messages)
		default:
			s.Write(position, s.Send.Messages, stamped(s.Send.Messages, len(message)))
			position = s.Finish(position, uint64(len(message)))
		}
		Leave(&s.Send.End, position)
		return a == Done
	}
}

// stamped returns a message of a length that tells its number everywhere.
func stamped(number uint64, length int) []byte {
	m := binary.LittleEndian.AppendUint64(nil, number)
	for len(m) < length {
		m = append(m, byte(number))
	}
	return m
}

// checkStamped reports whether a message is whole and of the number before the
// cursor.
func checkStamped(t *testing.T, c *Cursor, m []byte) bool {
	n := binary.LittleEndian.Uint64(m)
	for _, b := range m[8:] {
		if b != byte(n) {
			t.Errorf("message %d is torn", n)
			return false
		}
	}
	if n+1 != c.number {
		t.Errorf("message %d, and the next is %d", n, c.number)
	}
	return n+1 == c.number
}

// nextInPlace is [Cursor.Next] by way of a lease.
func nextInPlace(c *Cursor) (message []byte, a Attempt, err error) {
	position, n, a, err := c.Find()
	if a != Done {
		return nil, a, err
	}
	message = bytes.Clone(c.Message(position, n))
	if intact, err := c.PassLeased(position, n); err != nil || !intact {
		return nil, Taken, err
	}
	return message, Done, nil
}

// TestBroadcastOnHeap runs publishers and subscribers that stay, and some that come
// and go, over memory that the race detector sees.
func TestBroadcastOnHeap(t *testing.T) {
	for _, overwrites := range []bool{false, true} {
		const publishers, subscribers = 2, 3
		messages := 20_000
		if race.Enabled {
			messages = 5000
		}
		s := heapBroadcast(4096, publishers+subscribers+1, overwrites)
		var all, publishing sync.WaitGroup
		var ended atomic.Bool
		for i := range subscribers {
			c := s.Cursor(uint16(publishers + i + 1))
			if err := c.Join(0); err != nil {
				t.Fatal(err)
			}
			next := func() ([]byte, Attempt, error) { return c.Next(nil) }
			if i == 0 && !(overwrites && race.Enabled) { // that is a race, found out later
				next = func() ([]byte, Attempt, error) { return nextInPlace(c) }
			}
			all.Go(func() {
				for {
					last := ended.Load()
					m, a, err := next()
					if err != nil || a == Done && !checkStamped(t, c, m) {
						t.Errorf("overwrites %v: %v", overwrites, err)
						break
					}
					if a.Result() == Empty {
						if last {
							break
						}
						runtime.Gosched()
					}
				}
				if all := c.received + c.Lost; all != s.Send.Messages || !overwrites && c.Lost > 0 {
					t.Errorf("overwrites %v: %d received, %d lost, of %d", overwrites, c.received, c.Lost, s.Send.Messages)
				}
				c.place.Unsubscribe()
			})
		}
		all.Go(func() { comeAndGo(t, s.Cursor(publishers+subscribers+1), &ended) })
		for i := range publishers {
			publishing.Go(func() {
				random := rand.New(rand.NewPCG(uint64(i), 1))
				for n := 0; n < messages && !t.Failed(); {
					if heapPublish(s, uint16(i+1), make([]byte, 8+random.IntN(random.IntN(1000)+1)), n%7) {
						n++
					} else {
						runtime.Gosched()
					}
				}
			})
		}
		publishing.Wait()
		ended.Store(true)
		all.Wait()
	}
}

// TestBroadcastBatchFillsRing has a batch for which there is room, except for the
// header after it.
func TestBroadcastBatchFillsRing(t *testing.T) {
	for _, overwrites := range []bool{false, true} {
		s := heapBroadcast(4096, 1, overwrites)
		c := s.Cursor(1)
		if err := c.Join(0); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			heapPublish(s, 1, make([]byte, 1024-headerSize-numberSize), 4)
			for {
				m, a, err := c.Next(nil)
				if err != nil {
					t.Fatal(err)
				}
				if a != Done {
					break
				}
				checkStamped(t, c, m)
			}
		}
		if c.received != s.Send.Messages || c.received != 20 { // 3 and 1 in turn
			t.Errorf("overwrites %v: %d of %d", overwrites, c.received, s.Send.Messages)
		}
	}
}

// comeAndGo is a subscriber again and again, and asks for old messages too.
func comeAndGo(t *testing.T, place *Cursor, ended *atomic.Bool) {
	for round := uint64(0); !ended.Load(); round++ {
		c := place.Broadcast.Cursor(place.at)
		if err := c.Join(round % 20); err != nil {
			t.Error("join:", err)
			return
		}
		for range round % 50 {
			m, a, err := c.Next(nil)
			if err != nil || a == Done && !checkStamped(t, c, m) {
				t.Errorf("one that came late: %v", err)
				return
			}
		}
		c.place.Unsubscribe()
		runtime.Gosched()
	}
}

// TestBroadcastNonsense reads, joins and publishes in a ring of random bytes and
// one of valid records with random changes.
func TestBroadcastNonsense(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	rounds := 20_000
	if race.Enabled {
		rounds = 2000
	}
	for round := range rounds {
		s := heapBroadcast(4096, 4, round%2 == 0)
		c := s.Cursor(2)
		_ = c.Join(0)
		for range random.IntN(100) {
			heapPublish(s, 1, make([]byte, 8+random.IntN(100)), 1)
		}
		scribble(random, s)
		for range 10 {
			if _, _, err := c.Next(nil); err != nil {
				break
			}
		}
		late := s.Cursor(3)
		_ = late.Join(random.Uint64N(50))
		_, _, _ = late.Next(nil)
		s.Send.End = uint64(newEnd(LoadEnd(&s.Send.End).Position(), 0))
		for range 5 {
			heapPublish(s, 1, make([]byte, 8+random.IntN(1000)), random.IntN(5))
		}
		s.Release(uint16(random.Uint32()))
		s.Release(1)
	}
}

// scribble changes some of what is shared.
func scribble(random *rand.Rand, s *Broadcast) {
	value := func() uint64 { return random.Uint64() >> random.IntN(64) }
	targets := []*uint64{
		&s.Send.End, &s.Send.seen, &s.Send.Messages,
		&s.Receive.limit, &s.Receive.oldest, &s.Receive.places,
		&s.places[1].position, &s.places[1].State, &s.places[3].position, &s.places[3].State,
	}
	for range 1 + random.IntN(4) {
		switch word := targets[random.IntN(len(targets))]; random.IntN(3) {
		case 0:
			*word = value()
		case 1:
			*word += value()
		default:
			s.headers[random.IntN(len(s.headers))] = value()
		}
	}
	s.places[3].State = random.Uint64N(2)
}
