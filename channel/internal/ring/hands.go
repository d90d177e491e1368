package ring

import (
	"cmp"
	"slices"
	"sync/atomic"

	"github.com/filemap-go/filemap/internal/race"
	"github.com/filemap-go/filemap/internal/step"
	"github.com/filemap-go/filemap/object"
)

// A hand is an entry in the table of the messages of a queue that were taken and
// are not ended yet. Each stays where it is in the ring until its taker is done
// with it; senders go around it.
type Hand struct {
	// word says where the message is, and which place has it in hand. Its form is
	// that of an end. 0 is a free entry.
	word uint64
	// detail is the length of the message, and above it how often the message was
	// taken before. Only the place that has the message in hand writes it.
	detail uint64
}

const (
	// HandSize is the size of an entry in bytes.
	HandSize = 16

	// HandsMost is how many entries a table has at most.
	HandsMost = 1024

	// retakes is how often to look for a message, if others are faster again and
	// again.
	retakes = 100

	// returned takes the place of the owner of a message that anybody may take.
	returned = 1<<ownerBits - 1
)

// InHand is a message in hand, as the handle knows it that has it.
type InHand struct {
	Entry    int
	Position uint64
	Length   uint64
	Takes    uint32 // how often it was taken before
}

func (h InHand) detail() uint64 { return uint64(h.Takes)<<lengthBits | h.Length }

func (h *Hand) load() End { return End(Load(&h.word)) }

func (h *Hand) swap(from, to End) bool {
	step.Here()
	return race.CompareAndSwap(&h.word, uint64(from), uint64(to))
}

// hands returns the entries that were ever used.
func (r *Ring) hands() []Hand {
	if len(r.table) == 0 {
		return nil
	}
	return r.table[:min(atomic.LoadUint64(&r.Bells.Hands), uint64(len(r.table)))]
}

// Fill puts the message at the receiving end into an entry, the first free one
// from an index on, and reports false if there is none. The caller owns the end.
// Until it moves the end on, the entry is void: see GiveBackAll.
func (r *Ring) Fill(from int, position, length uint64, owner uint16) (InHand, bool) {
	for i := from; i < len(r.table); i++ {
		h := &r.table[i]
		if h.load() != 0 {
			continue
		}
		message := InHand{Entry: i, Position: position, Length: length}
		if used := uint64(i + 1); atomic.LoadUint64(&r.Bells.Hands) < used {
			step.Here()
			atomic.StoreUint64(&r.Bells.Hands, used)
		}
		step.Here()
		atomic.StoreUint64(&h.detail, message.detail())
		step.Here()
		atomic.StoreUint64(&h.word, uint64(newEnd(position, owner)))
		return message, true
	}
	return InHand{}, false
}

// Free ends a message in hand: its bytes are the senders'. It reports false if
// the owner does not have it.
func (r *Ring) Free(m InHand, owner uint16) bool {
	return r.table[m.Entry].swap(newEnd(m.Position, owner), 0)
}

// GiveBack leaves a message in hand to the next receiver. It reports false
// if the owner does not have it.
func (r *Ring) GiveBack(m InHand, owner uint16) bool {
	ok := r.table[m.Entry].swap(newEnd(m.Position, owner), newEnd(m.Position, returned))
	if ok {
		r.hint()
	}
	return ok
}

// hint tells receivers that a message was given back. A process may die before
// it does so: therefore a receiver that finds nothing else looks without a hint.
func (r *Ring) hint() {
	step.Here()
	atomic.AddUint64(&r.Receive.Hints, 1)
}

// GiveBackAll gives back what a place has in hand that has ended. An entry at or
// after the receiving end, if that is the place's, is void: its taker died before
// it moved the end on, so the message is still in the ring.
func (r *Ring) GiveBackAll(number uint16) {
	table := r.hands()
	if len(table) == 0 {
		return
	}
	receiving := LoadEnd(&r.Receive.End)
	for i := range table {
		switch e := table[i].load(); {
		case e.Owner() != number:
		case receiving.Owner() == number && distance(e.Position(), receiving.Position()) < r.Size():
			table[i].swap(e, 0)
		default:
			table[i].swap(e, newEnd(e.Position(), returned))
		}
	}
	r.hint() // also for one that died before it could
}

// Retake takes the oldest message that was given back, and reports whether there
// are more.
func (r *Ring) Retake(owner uint16) (m InHand, more bool, a Attempt, err error) {
	for range retakes { // others may be faster
		i, e, n := r.OldestReturned()
		if n == 0 {
			break
		}
		h := &r.table[i]
		if !h.swap(e, newEnd(e.Position(), owner)) {
			continue
		}
		detail := atomic.LoadUint64(&h.detail)
		m = InHand{i, e.Position(), detail & (1<<lengthBits - 1), uint32(detail>>lengthBits) + 1}
		if !r.isMessage(m.Position, m.Length) {
			r.GiveBack(m, owner)
			return m, false, Empty, object.ErrCorrupt
		}
		step.Here()
		atomic.StoreUint64(&h.detail, m.detail())
		return m, n > 1, Done, nil
	}
	return m, false, Empty, nil
}

// OldestReturned returns the entry of the oldest message that was given back, and
// how many there are.
func (r *Ring) OldestReturned() (at int, oldest End, n int) {
	table := r.hands()
	if len(table) == 0 {
		return 0, 0, 0
	}
	receiving := LoadEnd(&r.Receive.End).Position()
	for i := range table {
		e := table[i].load()
		if e.Owner() != returned {
			continue
		}
		if n++; n == 1 || distance(receiving, e.Position()) > distance(receiving, oldest.Position()) {
			at, oldest = i, e
		}
	}
	return at, oldest, n
}

// Holding is a message in hand, and the place that has it: 0 if it was given back.
type Holding struct {
	InHand
	Owner uint16
}

// Holdings returns the messages in hand of a copy of a table, the oldest first. One
// that is not behind the receiving end, in a ring of a size, is only about to be.
func Holdings(table []Hand, receiving, size uint64) (all []Holding) {
	at := End(receiving).Position()
	for i, h := range table {
		e := End(h.word)
		if e == 0 || distance(e.Position(), at) < size {
			continue
		}
		m := Holding{InHand{i, e.Position(), h.detail & (1<<lengthBits - 1), uint32(h.detail >> lengthBits)}, e.Owner()}
		if m.Owner == returned {
			m.Owner = 0
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b Holding) int {
		return cmp.Compare(distance(at, b.Position), distance(at, a.Position))
	})
	return all
}

// AnyInHand reports whether a message is in hand, or was given back.
func (r *Ring) AnyInHand() bool {
	table := r.hands()
	for i := range table {
		if table[i].load() != 0 {
			return true
		}
	}
	return false
}

// isMessage reports whether a message of a length is at a position.
func (r *Ring) isMessage(position, length uint64) bool {
	h := r.Load(position)
	return h.IsMessage(position, r.Rest(position)) && h.Length() == length
}

// obstacle returns how far the record of an entry is ahead of a position, on the
// way around the ring, and its size; 0 if there is none. An entry that is not that
// of a record in the ring is none: it is for takers to say that it is corrupt.
func (r *Ring) obstacle(h *Hand, position uint64) (ahead, size uint64) {
	e := h.load()
	if e == 0 {
		return 0, 0
	}
	size = recordSize(atomic.LoadUint64(&h.detail) & (1<<lengthBits - 1))
	if size > r.Rest(e.Position()) {
		return 0, 0
	}
	return (e.Position() - position) & r.mask, size
}

// gap returns the first position from one on at which a record of n bytes does
// not go around the ring's end, and touches nothing in hand, neither itself nor by
// the zeros after it. It reports false if there is none in the ring.
func (r *Ring) gap(position, n uint64) (at uint64, ok bool) {
	table := r.hands()
	at = position
	for range len(table) + 3 { // each time but the last something is passed by
		start := at
		if rest := r.Rest(at); n > rest {
			at = advance(at, rest)
		}
		for i := range table {
			ahead, size := r.obstacle(&table[i], at)
			if size > 0 && ahead < n+zeroedSize {
				at = advance(at, ahead+size)
			}
		}
		switch {
		case distance(at, position) > r.Size():
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
func (r *Ring) floor(position uint64) uint64 {
	behind := distance(position, LoadEnd(&r.Receive.End).Position())
	table := r.hands()
	for i := range table {
		if ahead, size := r.obstacle(&table[i], position); size > 0 {
			behind = max(behind, r.Size()-ahead)
		}
	}
	return (position - behind) & positionMask
}
