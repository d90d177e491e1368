package ring

import (
	"runtime"

	"github.com/filemap-go/filemap/internal/race"
	"github.com/filemap-go/filemap/internal/step"
	"github.com/filemap-go/filemap/object"
)

// Ring is a ring of records between a sending and a receiving end. It knows
// nothing of waiting, nor whose an end is: its callers own the end they use.
//
// All it reads from the shared memory it checks: a record never reaches beyond
// the ring, whatever other processes write.
type Ring struct {
	lines
	data    []byte
	headers []uint64 // the same bytes
	table   []Hand   // what is in hand: queues
	mask    uint64   // the size - 1: a power of two
}

// New returns the ring that has these words, and its memory twice: as bytes and as
// headers. The table is that of what is in hand.
func New(w *Words, data []byte, headers []uint64, table []Hand) Ring {
	return Ring{lines: w.lines(), data: data, headers: headers, table: table, mask: uint64(len(data)) - 1}
}

// Size returns the size of the ring in bytes.
func (r *Ring) Size() uint64 { return r.mask + 1 }

// Rest returns how far it is from a position to the ring's end.
func (r *Ring) Rest(position uint64) uint64 { return r.Size() - position&r.mask }

// zeroedSize is how many bytes from the sending position on are 0 when nobody has
// the sending end. Of these only the first header must be, but a sender of a short
// message then finds the header after it cleared, and the memory in this
// processor's cache: both were done after the message before, when nobody waited
// for it. That halves the time that a message takes.
const zeroedSize = 256

// Longest returns the length of the longest message that fits: of all but its
// header, and the zeros after it.
func (r *Ring) Longest() uint64 { return r.Size() - headerSize - zeroedSize }

func (r *Ring) header(position uint64) *uint64 { return &r.headers[position&r.mask/8] }

// Load returns the header at a position.
func (r *Ring) Load(position uint64) Header {
	return Header(Load(r.header(position)))
}

// commit makes the record at a position, and what lies ready behind it, one
// that can be received.
func (r *Ring) commit(position uint64, h Header) {
	step.Here()
	publish(r.header(position), uint64(h))
}

// Load and Store are those of sync/atomic, for words by which one process tells
// another that there is something, or room.

// Load returns a word.
func Load(word *uint64) uint64 {
	step.Here()
	return race.Load(word)
}

// Store sets a word.
func Store(word *uint64, value uint64) {
	step.Here()
	race.Store(word, value)
}

// publish stores a word after all that was stored before it. That is what a
// plain store does on amd64, for other processors and in what Go's compiler
// makes of it, and ten times as fast as an atomic one, which also waits. Where
// it matters that it is seen before something is loaded, an atomic store
// follows.
func publish(word *uint64, value uint64) {
	if runtime.GOARCH == "amd64" && !race.Enabled {
		*word = value
		return
	}
	race.Store(word, value)
}

// Bytes returns the n bytes behind the header at a position.
func (r *Ring) Bytes(position, n uint64) []byte {
	at := position&r.mask + headerSize
	return r.data[at : at+n : at+n]
}

// hasRoom reports whether n bytes, and the zeros after them, are free from a
// position on.
func (r *Ring) hasRoom(position, n uint64) bool {
	return distance(position, r.Send.seen)+n+zeroedSize <= r.Size() || r.hasRoomNow(position, n)
}

// hasRoomNow is hasRoom with another look at what is in the way.
func (r *Ring) hasRoomNow(position, n uint64) bool {
	r.Send.seen = r.floor(position)
	return distance(position, r.Send.seen)+n+zeroedSize <= r.Size()
}

// hasRoomHere reports whether there certainly is room for a record of n bytes at
// a position, before the ring's end.
func (r *Ring) hasRoomHere(position, n uint64) bool {
	return position&r.mask+n <= r.Size() && distance(position, r.Send.seen)+n+zeroedSize <= r.Size()
}

// HasRoomFor reports whether there certainly is room for a message of n bytes at a
// position, before the ring's end.
func (r *Ring) HasRoomFor(position, n uint64) bool { return r.hasRoomHere(position, recordSize(n)) }

// Reserve returns where a message of n bytes can be written from the owner's
// position on: there, or after padding, which it commits. If there is no room, it
// returns how far it came.
func (r *Ring) Reserve(position, n uint64, owner uint16) (at uint64, a Attempt) {
	return r.reserveRecord(position, recordSize(n), owner)
}

// reserveRecord returns where a record of n bytes can be written from the owner's
// position on: there, or after padding, which it commits. The padding goes to the
// ring's beginning if the record does not fit before the end, and over what is in
// hand. If there is no room, it returns how far it came.
func (r *Ring) reserveRecord(position, n uint64, owner uint16) (at uint64, a Attempt) {
	if r.hasRoomHere(position, n) {
		return position, Done
	}
	receiving := LoadEnd(&r.Receive.End).Position() // before what is in hand: see floor
	next, ok := r.gap(position, n)
	if !ok {
		return position, Full
	}
	if next != position {
		if distance(next, receiving)+zeroedSize > r.Size() {
			return position, Full
		}
		r.pad(position, next, owner)
		position = next
	}
	if !r.hasRoom(position, n) {
		return position, Full
	}
	return position, Done
}

// pad commits padding from a position to the next one. If nothing lies before it,
// it does at once what the receiver would: else a message of more than half the
// ring might find no room in an empty one. Where ends have no owners, the
// receiver's may be in use.
func (r *Ring) pad(position, next uint64, owner uint16) {
	zeroed := r.clear(position, next)
	r.commit(position, newHeader(paddingRecord, position, int(distance(next, position)-headerSize)))
	r.zero(zeroed, next)
	newEnd(next, owner).store(&r.Send.End)
	if owner != 0 {
		step.Here()
		race.CompareAndSwap(&r.Receive.End, uint64(newEnd(position, 0)), uint64(newEnd(next, 0)))
	}
}

// clear prepares the header at next, after the record that is about to be
// committed at a position, and returns up to where all is 0 from next on.
func (r *Ring) clear(position, next uint64) (zeroed uint64) {
	if size := distance(next, position); size+headerSize <= zeroedSize {
		return advance(position, zeroedSize)
	}
	step.Here()
	*r.header(next) = 0
	return advance(next, headerSize)
}

// zero makes the bytes after a position 0, of which those before from are
// already: a receiver may be looking at the first header.
func (r *Ring) zero(from, position uint64) {
	step.Here()
	at, n := from&r.mask, distance(advance(position, zeroedSize), from)
	if rest := r.Size() - at; n > rest {
		clear(r.data[at:])
		at, n = 0, n-rest
	}
	clear(r.data[at : at+n])
}

// ClearUnused zeroes what follows a message in its draft, as senders find it: see
// zeroedSize.
func ClearUnused(draft []byte, length int) {
	if length < zeroedSize { // otherwise what follows is zeroed anyway
		clear(draft[length:min(len(draft), zeroedSize)])
	}
}

// Abort gives up the sending end where it is, with what was written there.
func (r *Ring) Abort(position uint64) {
	r.zero(position, position)
	Leave(&r.Send.End, position)
}

// Put commits a message of n bytes, which are in place, and returns where the
// next one will be.
func (r *Ring) Put(position, n uint64) (next uint64) {
	next = advance(position, recordSize(n))
	zeroed := r.clear(position, next)
	r.Send.Messages++
	r.Send.Bytes += n
	r.commit(position, newHeader(messageRecord, position, int(n)))
	r.zero(zeroed, next)
	return next
}

// PutBatch commits as many of the messages as there is room for without going
// around, from a position with room for the first, all at once. It returns how
// many, and where the next one will be.
func (r *Ring) PutBatch(first uint64, batch [][]byte) (n int, next uint64) {
	next = first
	bytes := uint64(0)
	for _, message := range batch {
		size := recordSize(uint64(len(message)))
		if n > 0 && next&r.mask == 0 {
			break
		}
		if !r.hasRoomHere(next, size) && (size > r.Rest(next) || !r.hasRoomNow(next, size)) {
			break
		}
		Copy(r.Bytes(next, uint64(len(message))), message)
		if n > 0 {
			r.commit(next, newHeader(messageRecord, next, len(message)))
		}
		n++
		bytes += uint64(len(message))
		next = advance(next, size)
	}
	zeroed := r.clear(first, next)
	r.Send.Messages += uint64(n)
	r.Send.Bytes += bytes
	r.commit(first, newHeader(messageRecord, first, len(batch[0])))
	r.zero(zeroed, next)
	return n, next
}

// committed returns the position after the last committed record, from one on.
func (r *Ring) committed(position uint64) uint64 {
	for start := position; distance(position, start) < r.Size(); {
		h := r.Load(position)
		if !r.fits(position, h) {
			break
		}
		position = advance(position, h.size())
	}
	return position
}

// fits reports whether a header can be that of a record at a position. Padding
// may go around the ring's end.
func (r *Ring) fits(position uint64, h Header) bool {
	return h.fits(position, r.Rest(position)) || h.isPadding() && h.fits(position, r.Size())
}

// Next returns the message at a position, or after padding there: where it is,
// and its length.
func (r *Ring) Next(position uint64) (at, n uint64, a Attempt, err error) {
	for range r.Size()/zeroedSize + 2 { // each padding skips that much, or ends at the ring's end
		h := r.Load(position)
		switch {
		case h == 0:
			return position, 0, Empty, nil
		case h.IsMessage(position, r.Rest(position)):
			return position, h.Length(), Done, nil
		case !r.fits(position, h):
			return position, 0, Empty, object.ErrCorrupt
		}
		position = advance(position, h.size())
	}
	return position, 0, Empty, object.ErrCorrupt
}

// Got counts a message of n bytes as received, and returns the position after
// it.
func (r *Ring) Got(position, n uint64) uint64 {
	r.Receive.Messages++
	r.Receive.Bytes += n
	return advance(position, recordSize(n))
}

// Release frees what a place has whose owner is dead. What the owner had committed
// stays committed; what it was about to receive is still there. The caller holds the
// place's mutex.
func (r *Ring) Release(number uint16) {
	if e := LoadEnd(&r.Send.End); e.Owner() == number {
		r.Abort(r.committed(e.Position()))
	}
	r.GiveBackAll(number) // while the end says which are void
	if e := LoadEnd(&r.Receive.End); e.Owner() == number {
		Leave(&r.Receive.End, e.Position())
	}
	r.Bells.Takers.Forget(number)
	r.Bells.Data.Forget(number)
	r.Bells.Room.Forget(number)
}
