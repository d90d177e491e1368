package ring

import (
	"encoding/binary"
	"sync/atomic"

	"github.com/filemap-go/filemap/internal/race"
	"github.com/filemap-go/filemap/internal/step"
)

// Broadcast is the ring of a topic: it has one sending end, and any number of
// subscribers that read all of it, each at a place of its own. It knows nothing
// of waiting; the caller of a method that writes owns the sending end.
//
// What a record holds begins with the running number of the message, in 8
// bytes, by which a subscriber knows how many it lost.
//
//	        limit - size        subscribers        end        limit
//	             |                 |    |           |           |
//	overwritten  |  ?  | oldest ...                 | nothing   | not yet
//	             +-----+----------------------------+-----------+
//
// A publisher first moves oldest, then limit, then writes up to limit. A reader
// that does not hold the publisher back looks at limit afterwards: if it is more
// than a ring ahead, what was read is void.
type Broadcast struct {
	Ring
	places     []Place
	Overwrites bool // nobody holds the publisher back
}

// NewBroadcast returns the ring of a topic that has the memory of a ring, and its places.
func NewBroadcast(r Ring, places []Place, overwrites bool) Broadcast {
	return Broadcast{Ring: r, places: places, Overwrites: overwrites}
}

const (
	numberSize = 8

	subscribed = 1 // a place's state

	waited = 1 // in a place's position: a publisher waits for it to change
	gone   = 2 // as a place's position: nobody's
)

func topicSize(length uint64) uint64 { return recordSize(numberSize + length) }

// Longest returns the length of the longest message that fits: of all but
// its header and number, and the header that follows.
func (s *Broadcast) Longest() uint64 { return s.Size() - 2*headerSize - numberSize }

// aligned returns the position that a shared word holds.
func aligned(word uint64) uint64 { return word &^ 7 & positionMask }

// isPosition reports whether a place's word is a subscriber's position: not gone,
// nor anything else that no subscriber writes.
func isPosition(word uint64) bool { return word&^waited == aligned(word) }

func (s *Broadcast) number(position uint64) *uint64 { return s.header(position + headerSize) }

// Message returns the n bytes of the message at a position.
func (s *Broadcast) Message(position, n uint64) []byte { return s.Bytes(position+numberSize, n) }

// Reserve returns where a message of n bytes can be written from the owner's
// position on, as [Ring.Reserve] does. If there is no room, the slowest
// subscriber is in the way.
func (s *Broadcast) Reserve(position, n uint64, owner uint16) (at uint64, a Attempt) {
	n = topicSize(n)
	rest := s.Size() - position&s.mask
	if n > rest {
		if a = s.makeRoom(position, rest+headerSize); a != Done {
			return position, a
		}
		position = s.padTo(position, rest, owner)
	}
	return position, s.makeRoom(position, n+headerSize)
}

// isFree reports whether so many bytes from a position on are known to be free.
func (s *Broadcast) isFree(position, need uint64) bool {
	ahead := distance(s.Receive.limit, position)
	return ahead >= need && ahead <= s.Size() &&
		(s.Overwrites || distance(position, s.Send.seen)+need <= s.Size())
}

// makeRoom frees so many bytes from a position on.
func (s *Broadcast) makeRoom(position, need uint64) Attempt {
	switch {
	case need > s.Size():
		return Full
	case s.isFree(position, need):
		return Done
	}
	if a := s.ask(position, need); a != Done {
		return a
	}
	if ahead := distance(s.Receive.limit, position); ahead >= need && ahead <= s.Size() {
		return Done
	}
	room := s.Size()
	if !s.Overwrites {
		room -= distance(position, s.Send.seen)
	}
	s.announce(position, min(need+s.Size()/announceParts, room))
	// A subscriber that comes meanwhile sees the new limit, or is seen.
	return s.ask(position, need)
}

// announceParts is into how many parts of the ring the announcements divide it:
// a part more than needed is announced, so that there are few of them.
const announceParts = 16

// ask looks whether the subscribers leave so much room at a position.
func (s *Broadcast) ask(position, need uint64) Attempt {
	if s.Overwrites {
		return Done
	}
	at, slowest := s.slowest(position)
	s.Send.seen = at
	if distance(position, at)+need > s.Size() {
		return Full.By(slowest)
	}
	return Done
}

// slowest returns which subscriber is behind the most, and where.
func (s *Broadcast) slowest(position uint64) (at uint64, number uint16) {
	at = position
	places := s.subscribers()
	for i := range places {
		p := &places[i]
		step.Here()
		if atomic.LoadUint64(&p.State) != subscribed {
			continue
		}
		word := Load(&p.position)
		if !isPosition(word) { // of a subscriber that is gone, or nonsense
			continue
		}
		// One that is further behind than the size has not joined yet: it will
		// look at limit.
		where := aligned(word)
		if d := distance(position, where); d > distance(position, at) && d <= s.Size() {
			at, number = where, uint16(i+1)
		}
	}
	return at, number
}

// subscribers returns the places that may be subscribers'.
func (s *Broadcast) subscribers() []Place {
	step.Here()
	return s.places[:min(atomic.LoadUint64(&s.Receive.places), uint64(len(s.places)))]
}

// Hurry has the slowest subscriber ring when it moves on. It reports false if
// that happened already.
func (s *Broadcast) Hurry(number uint16) bool {
	if number == 0 {
		return false
	}
	word := &s.places[number-1].position
	step.Here()
	old := atomic.LoadUint64(word)
	if !isPosition(old) || aligned(old) != s.Send.seen {
		return false
	}
	step.Here()
	return old&waited != 0 || atomic.CompareAndSwapUint64(word, old, old|waited)
}

// announce says that so many bytes from a position on may be written, after
// what they held before is no longer among the old messages.
func (s *Broadcast) announce(position, room uint64) {
	limit := advance(position, room)
	oldest := aligned(s.Receive.oldest)
	for distance(limit, oldest) > s.Size() {
		h := s.Load(oldest)
		next := advance(oldest, h.size())
		if !h.fits(oldest, s.Size()-oldest&s.mask) || distance(position, next) > s.Size() {
			oldest = position // nonsense: none of the old messages can be found
			break
		}
		oldest = next
	}
	step.Here()
	atomic.StoreUint64(&s.Receive.oldest, oldest)
	step.Here()
	atomic.StoreUint64(&s.Receive.limit, limit)
	// What is written now is written after that: on arm64, only a load between
	// the two makes it so.
	atomic.LoadUint64(&s.Receive.limit)
}

// padTo commits padding from a position to the ring's end. Subscribers that have
// read all before it are taken along: else a message of more than half the ring
// might have to wait for one that has nothing to read.
func (s *Broadcast) padTo(position, rest uint64, owner uint16) (next uint64) {
	next = advance(position, rest)
	s.wipe(next)
	s.commit(position, newHeader(paddingRecord, position, int(rest-headerSize)))
	newEnd(next, owner).store(&s.Send.End)
	if !s.Overwrites {
		s.takeAlong(position, next)
	}
	return next
}

func (s *Broadcast) takeAlong(position, next uint64) {
	places := s.subscribers()
	for i := range places {
		for _, flag := range []uint64{0, waited} {
			if atomic.LoadUint64(&places[i].State) == subscribed {
				step.Here()
				atomic.CompareAndSwapUint64(&places[i].position, position|flag, next|flag)
			}
		}
	}
}

// wipe is Ring.clear where others may be looking.
func (s *Broadcast) wipe(position uint64) {
	step.Here()
	publish(s.header(position), 0)
}

// Write writes a message of a number, which is not committed yet.
func (s *Broadcast) Write(position, number uint64, message []byte) {
	publish(s.number(position), number)
	s.copyIn(position, message)
}

// Finish commits the message of n bytes that has been written at a position,
// and returns where the next one will be.
func (s *Broadcast) Finish(position, n uint64) (next uint64) {
	next = advance(position, topicSize(n))
	s.wipe(next)
	s.commit(position, newHeader(messageRecord, position, int(numberSize+n)))
	s.count(s.Send.Messages+1, n)
	return next
}

// count says how many messages there have been after a commit: a subscriber that comes looks
// at that only if there is none at the end's position.
func (s *Broadcast) count(messages, bytes uint64) {
	step.Here()
	publish(&s.Send.Messages, messages)
	s.Send.Bytes += bytes
}

// FinishBatch writes and commits as many of the messages as there is room for
// without going around, from a position with room for the first, all at once.
func (s *Broadcast) FinishBatch(first uint64, batch [][]byte) (n int, next uint64) {
	next = first
	room, bytes, start := s.Size()-first&s.mask, uint64(0), s.Send.Messages
	for _, message := range batch {
		length := uint64(len(message))
		size := distance(next, first) + topicSize(length)
		if length > s.Longest() || size > room {
			break
		}
		if a := s.makeRoom(first, size+headerSize); a != Done {
			break
		}
		s.Write(next, start+uint64(n), message)
		if n > 0 {
			s.commit(next, newHeader(messageRecord, next, int(numberSize+length)))
		}
		n++
		bytes += length
		next = advance(next, topicSize(length))
	}
	s.wipe(next)
	s.commit(first, newHeader(messageRecord, first, numberSize+len(batch[0])))
	s.count(start+uint64(n), bytes)
	return n, next
}

// FinishInPlace is Finish for a message that was written in place.
func (s *Broadcast) FinishInPlace(position, n uint64) (next uint64) {
	publish(s.number(position), s.Send.Messages)
	return s.Finish(position, n)
}

// Abort gives up the sending end where it is.
func (s *Broadcast) Abort(position uint64) { Leave(&s.Send.End, position) }

// recovered returns the position after what the dead owner of the sending end had
// committed from a position on.
func (s *Broadcast) recovered(position uint64) uint64 {
	for start := position; distance(position, start) < s.Size(); {
		h := s.Load(position)
		if !h.fits(position, s.Size()-position&s.mask) {
			break
		}
		if !h.isPadding() && h.Length() >= numberSize {
			s.count(s.loadNumber(position)+1, 0)
		}
		position = advance(position, h.size())
	}
	s.wipe(position)
	return position
}

// Release frees what a place has whose owner is dead. What it had published
// stays published. The caller holds the place's mutex.
func (s *Broadcast) Release(number uint16) {
	if e := LoadEnd(&s.Send.End); e.Owner() == number {
		Leave(&s.Send.End, s.recovered(e.Position()))
	}
	if p := int(number) - 1; p >= 0 && p < len(s.places) {
		s.places[p].Unsubscribe()
	}
	s.Bells.Data.Forget(number)
	s.Bells.Room.Forget(number)
}

// IsSubscriber reports whether a copy of a place is a subscriber's.
func (p Place) IsSubscriber() bool { return p.State == subscribed }

// Unsubscribe has the publisher no longer wait for a place, and reports whether
// it does.
func (p *Place) Unsubscribe() (wanted bool) {
	step.Here()
	atomic.StoreUint64(&p.State, 0)
	step.Here()
	return race.Swap(&p.position, gone)&waited != 0
}

func (s *Broadcast) loadNumber(position uint64) uint64 {
	step.Here()
	return atomic.LoadUint64(s.number(position))
}

// copyIn copies a message into the ring. Others may be reading what was there
// before, and find out later: the race detector only bears that with words.
func (s *Broadcast) copyIn(position uint64, message []byte) {
	if !race.Enabled {
		Copy(s.Message(position, uint64(len(message))), message)
		return
	}
	for i := 0; i < len(message); i += 8 {
		var piece [8]byte
		copy(piece[:], message[i:])
		word := s.header(position + headerSize + numberSize + uint64(i))
		atomic.StoreUint64(word, binary.NativeEndian.Uint64(piece[:]))
	}
}

// copyOut appends a message of the ring to a buffer: see copyIn.
func (s *Broadcast) copyOut(buffer []byte, position, n uint64) []byte {
	if !race.Enabled || !s.Overwrites {
		return Append(buffer, s.Message(position, n))
	}
	start := len(buffer)
	for i := uint64(0); i < n; i += 8 {
		word := s.header(position + headerSize + numberSize + i)
		buffer = binary.NativeEndian.AppendUint64(buffer, atomic.LoadUint64(word))
	}
	return buffer[:start+int(n)]
}
