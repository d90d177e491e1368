package channel

import (
	"sync/atomic"

	"github.com/filemap-go/filemap/internal/race"
	"github.com/filemap-go/filemap/internal/step"
	"github.com/filemap-go/filemap/object"
)

// A hand is an entry in the table of the messages of a queue that were taken and
// are not ended yet. Each stays where it is in the ring until its taker is done
// with it; senders go around it.
type hand struct {
	// word says where the message is, and which place has it in hand. Its form is
	// that of an end. 0 is a free entry.
	word uint64
	// detail is the length of the message, and above it how often the message was
	// taken before. Only the place that has the message in hand writes it.
	detail uint64
}

const (
	handSize = 16

	// handsDefault is how many messages can be in hand.
	handsDefault = 1024
	handsMost    = 1024

	// returned takes the place of the owner of a message that anybody may take.
	returned = 1<<ownerBits - 1
)

// inHand is a message in hand, as the handle knows it that has it.
type inHand struct {
	entry    int
	position uint64
	length   uint64
	takes    uint32 // how often it was taken before
}

func (h inHand) detail() uint64 { return uint64(h.takes)<<lengthBits | h.length }

func (h *hand) load() end { return end(load(&h.word)) }

func (h *hand) swap(from, to end) bool {
	step.Here()
	return race.CompareAndSwap(&h.word, uint64(from), uint64(to))
}

// hands returns the entries that were ever used.
func (r *ring) hands() []hand {
	if len(r.table) == 0 {
		return nil
	}
	return r.table[:min(atomic.LoadUint64(&r.bells.hands), uint64(len(r.table)))]
}

// fill puts the message at the receiving end into an entry, the first free one
// from an index on, and reports false if there is none. The caller owns the end.
// Until it moves the end on, the entry is void: see giveBackAll.
func (r *ring) fill(from int, position, length uint64, owner uint16) (inHand, bool) {
	for i := from; i < len(r.table); i++ {
		h := &r.table[i]
		if h.load() != 0 {
			continue
		}
		message := inHand{entry: i, position: position, length: length}
		if used := uint64(i + 1); atomic.LoadUint64(&r.bells.hands) < used {
			step.Here()
			atomic.StoreUint64(&r.bells.hands, used)
		}
		step.Here()
		atomic.StoreUint64(&h.detail, message.detail())
		step.Here()
		atomic.StoreUint64(&h.word, uint64(newEnd(position, owner)))
		return message, true
	}
	return inHand{}, false
}

// free ends a message in hand: its bytes are the senders'. It reports false if
// the owner does not have it.
func (r *ring) free(m inHand, owner uint16) bool {
	return r.table[m.entry].swap(newEnd(m.position, owner), 0)
}

// giveBack leaves a message in hand to the next receiver. It reports false
// if the owner does not have it.
func (r *ring) giveBack(m inHand, owner uint16) bool {
	ok := r.table[m.entry].swap(newEnd(m.position, owner), newEnd(m.position, returned))
	if ok {
		r.hint()
	}
	return ok
}

// hint tells receivers that a message was given back. A process may die before
// it does so: therefore a receiver that finds nothing else looks without a hint.
func (r *ring) hint() {
	step.Here()
	atomic.AddUint64(&r.receive.hints, 1)
}

// giveBackAll gives back what a place has in hand that has ended. An entry at or
// after the receiving end, if that is the place's, is void: its taker died before
// it moved the end on, so the message is still in the ring.
func (r *ring) giveBackAll(number uint16) {
	table := r.hands()
	if len(table) == 0 {
		return
	}
	receiving := loadEnd(&r.receive.end)
	for i := range table {
		switch e := table[i].load(); {
		case e.owner() != number:
		case receiving.owner() == number && distance(e.position(), receiving.position()) < r.size():
			table[i].swap(e, 0)
		default:
			table[i].swap(e, newEnd(e.position(), returned))
		}
	}
	r.hint() // also for one that died before it could
}

// retake takes the oldest message that was given back, and reports whether there
// are more.
func (r *ring) retake(owner uint16) (m inHand, more bool, a attempt, err error) {
	for range copyTries { // others may be faster
		i, e, n := r.oldestReturned()
		if n == 0 {
			break
		}
		h := &r.table[i]
		if !h.swap(e, newEnd(e.position(), owner)) {
			continue
		}
		detail := atomic.LoadUint64(&h.detail)
		m = inHand{i, e.position(), detail & (1<<lengthBits - 1), uint32(detail>>lengthBits) + 1}
		if !r.isMessage(m.position, m.length) {
			r.giveBack(m, owner)
			return m, false, empty, object.ErrCorrupt
		}
		step.Here()
		atomic.StoreUint64(&h.detail, m.detail())
		return m, n > 1, done, nil
	}
	return m, false, empty, nil
}

// oldestReturned returns the entry of the oldest message that was given back, and
// how many there are.
func (r *ring) oldestReturned() (at int, oldest end, n int) {
	table := r.hands()
	if len(table) == 0 {
		return 0, 0, 0
	}
	receiving := loadEnd(&r.receive.end).position()
	for i := range table {
		e := table[i].load()
		if e.owner() != returned {
			continue
		}
		if n++; n == 1 || distance(receiving, e.position()) > distance(receiving, oldest.position()) {
			at, oldest = i, e
		}
	}
	return at, oldest, n
}

// anyInHand reports whether a message is in hand, or was given back.
func (r *ring) anyInHand() bool {
	table := r.hands()
	for i := range table {
		if table[i].load() != 0 {
			return true
		}
	}
	return false
}

// isMessage reports whether a message of a length is at a position.
func (r *ring) isMessage(position, length uint64) bool {
	h := r.load(position)
	return h.isMessage(position, r.rest(position)) && h.length() == length
}

// obstacle returns how far the record of an entry is ahead of a position, on the
// way around the ring, and its size; 0 if there is none. An entry that is not that
// of a record in the ring is none: it is for takers to say that it is corrupt.
func (r *ring) obstacle(h *hand, position uint64) (ahead, size uint64) {
	e := h.load()
	if e == 0 {
		return 0, 0
	}
	size = recordSize(atomic.LoadUint64(&h.detail) & (1<<lengthBits - 1))
	if size > r.rest(e.position()) {
		return 0, 0
	}
	return (e.position() - position) & r.mask, size
}

// gap returns the first position from one on at which a record of n bytes does
// not go around the ring's end, and touches nothing in hand, neither itself nor by
// the zeros after it. It reports false if there is none in the ring.
func (r *ring) gap(position, n uint64) (at uint64, ok bool) {
	table := r.hands()
	at = position
	for range len(table) + 3 { // each time but the last something is passed by
		start := at
		if rest := r.rest(at); n > rest {
			at = advance(at, rest)
		}
		for i := range table {
			ahead, size := r.obstacle(&table[i], at)
			if size > 0 && ahead < n+zeroedSize {
				at = advance(at, ahead+size)
			}
		}
		switch {
		case distance(at, position) > r.size():
			return at, false
		case at == start:
			return at, true
		}
	}
	return at, false
}

// floor returns from where on the ring is taken: one size after it is the next
// thing in the way of the sending end's owner. That is the receiving end, or a
// message in hand; the end is loaded first, for what is in hand later was not
// before it then.
func (r *ring) floor(position uint64) uint64 {
	behind := distance(position, loadEnd(&r.receive.end).position())
	table := r.hands()
	for i := range table {
		if ahead, size := r.obstacle(&table[i], position); size > 0 {
			behind = max(behind, r.size()-ahead)
		}
	}
	return (position - behind) & positionMask
}
