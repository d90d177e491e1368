package channel

import (
	"runtime"

	"github.com/filemap-go/filemap/internal/race"
	"github.com/filemap-go/filemap/internal/step"
	"github.com/filemap-go/filemap/object"
)

// ring is a ring of records between a sending and a receiving end. It knows
// nothing of waiting, nor whose an end is: its callers own the end they use.
//
// All it reads from the shared memory it checks: a record never reaches beyond
// the ring, whatever other processes write.
type ring struct {
	lines
	data    []byte
	headers []uint64 // the same bytes
	table   []hand   // what is in hand: queues
	mask    uint64   // the size - 1: a power of two
}

func newRing(w *words, data []byte, headers []uint64, table []hand) ring {
	return ring{lines: w.lines(), data: data, headers: headers, table: table, mask: uint64(len(data)) - 1}
}

func (r *ring) size() uint64 { return r.mask + 1 }

// rest returns how far it is from a position to the ring's end.
func (r *ring) rest(position uint64) uint64 { return r.size() - position&r.mask }

// zeroedSize is how many bytes from the sending position on are 0 when nobody has
// the sending end. Of these only the first header must be, but a sender of a short
// message then finds the header after it cleared, and the memory in this
// processor's cache: both were done after the message before, when nobody waited
// for it. That halves the time that a message takes.
const zeroedSize = 256

// longest returns the length of the longest message that fits: of all but its
// header, and the zeros after it.
func (r *ring) longest() uint64 { return r.size() - headerSize - zeroedSize }

func (r *ring) header(position uint64) *uint64 { return &r.headers[position&r.mask/8] }

func (r *ring) load(position uint64) header {
	return header(load(r.header(position)))
}

// commit makes the record at a position, and what lies ready behind it, one
// that can be received.
func (r *ring) commit(position uint64, h header) {
	step.Here()
	publish(r.header(position), uint64(h))
}

// load and store are those of sync/atomic, for words by which one process
// tells another that there is something, or room.

func load(word *uint64) uint64 {
	step.Here()
	return race.Load(word)
}

func store(word *uint64, value uint64) {
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

// bytes returns the n bytes behind the header at a position.
func (r *ring) bytes(position, n uint64) []byte {
	at := position&r.mask + headerSize
	return r.data[at : at+n : at+n]
}

// hasRoom reports whether n bytes, and the zeros after them, are free from a
// position on.
func (r *ring) hasRoom(position, n uint64) bool {
	return distance(position, r.send.seen)+n+zeroedSize <= r.size() || r.hasRoomNow(position, n)
}

// hasRoomNow is hasRoom with another look at what is in the way.
func (r *ring) hasRoomNow(position, n uint64) bool {
	r.send.seen = r.floor(position)
	return distance(position, r.send.seen)+n+zeroedSize <= r.size()
}

// hasRoomHere reports whether there certainly is room for a record of n bytes at
// a position, before the ring's end.
func (r *ring) hasRoomHere(position, n uint64) bool {
	return position&r.mask+n <= r.size() && distance(position, r.send.seen)+n+zeroedSize <= r.size()
}

// reserve returns where a record of n bytes can be written from the owner's
// position on: there, or after padding, which it commits. The padding goes to the
// ring's beginning if the record does not fit before the end, and over what is in
// hand. If there is no room, it returns how far it came.
func (r *ring) reserve(position, n uint64, owner uint16) (at uint64, a attempt) {
	if r.hasRoomHere(position, n) {
		return position, done
	}
	receiving := loadEnd(&r.receive.end).position() // before what is in hand: see floor
	next, ok := r.gap(position, n)
	if !ok {
		return position, full
	}
	if next != position {
		if distance(next, receiving)+zeroedSize > r.size() {
			return position, full
		}
		r.pad(position, next, owner)
		position = next
	}
	if !r.hasRoom(position, n) {
		return position, full
	}
	return position, done
}

// pad commits padding from a position to the next one. If nothing lies before it,
// it does at once what the receiver would: else a message of more than half the
// ring might find no room in an empty one. Where ends have no owners, the
// receiver's may be in use.
func (r *ring) pad(position, next uint64, owner uint16) {
	zeroed := r.clear(position, next)
	r.commit(position, newHeader(paddingRecord, position, int(distance(next, position)-headerSize)))
	r.zero(zeroed, next)
	newEnd(next, owner).store(&r.send.end)
	if owner != 0 {
		step.Here()
		race.CompareAndSwap(&r.receive.end, uint64(newEnd(position, 0)), uint64(newEnd(next, 0)))
	}
}

// clear prepares the header at next, after the record that is about to be
// committed at a position, and returns up to where all is 0 from next on.
func (r *ring) clear(position, next uint64) (zeroed uint64) {
	if size := distance(next, position); size+headerSize <= zeroedSize {
		return advance(position, zeroedSize)
	}
	step.Here()
	*r.header(next) = 0
	return advance(next, headerSize)
}

// zero makes the bytes after a position 0, of which those before from are
// already: a receiver may be looking at the first header.
func (r *ring) zero(from, position uint64) {
	step.Here()
	at, n := from&r.mask, distance(advance(position, zeroedSize), from)
	if rest := r.size() - at; n > rest {
		clear(r.data[at:])
		at, n = 0, n-rest
	}
	clear(r.data[at : at+n])
}

// put commits a message of n bytes, which are in place, and returns where the
// next one will be.
func (r *ring) put(position, n uint64) (next uint64) {
	next = advance(position, recordSize(n))
	zeroed := r.clear(position, next)
	r.send.messages++
	r.send.bytes += n
	r.commit(position, newHeader(messageRecord, position, int(n)))
	r.zero(zeroed, next)
	return next
}

// putBatch commits as many of the messages as there is room for without going
// around, from a position with room for the first, all at once. It returns how
// many, and where the next one will be.
func (r *ring) putBatch(first uint64, batch [][]byte) (n int, next uint64) {
	next = first
	bytes := uint64(0)
	for _, message := range batch {
		size := recordSize(uint64(len(message)))
		if n > 0 && next&r.mask == 0 {
			break
		}
		if !r.hasRoomHere(next, size) && (size > r.rest(next) || !r.hasRoomNow(next, size)) {
			break
		}
		copy(r.bytes(next, uint64(len(message))), message)
		if n > 0 {
			r.commit(next, newHeader(messageRecord, next, len(message)))
		}
		n++
		bytes += uint64(len(message))
		next = advance(next, size)
	}
	zeroed := r.clear(first, next)
	r.send.messages += uint64(n)
	r.send.bytes += bytes
	r.commit(first, newHeader(messageRecord, first, len(batch[0])))
	r.zero(zeroed, next)
	return n, next
}

// committed returns the position after the last committed record, from one on.
func (r *ring) committed(position uint64) uint64 {
	for start := position; distance(position, start) < r.size(); {
		h := r.load(position)
		if !r.fits(position, h) {
			break
		}
		position = advance(position, h.size())
	}
	return position
}

// fits reports whether a header can be that of a record at a position. Padding
// may go around the ring's end.
func (r *ring) fits(position uint64, h header) bool {
	return h.fits(position, r.rest(position)) || h.isPadding() && h.fits(position, r.size())
}

// next returns the message at a position, or after padding there: where it is,
// and its length.
func (r *ring) next(position uint64) (at, n uint64, a attempt, err error) {
	for range r.size()/zeroedSize + 2 { // each padding skips that much, or ends at the ring's end
		h := r.load(position)
		switch {
		case h == 0:
			return position, 0, empty, nil
		case h.isMessage(position, r.rest(position)):
			return position, h.length(), done, nil
		case !r.fits(position, h):
			return position, 0, empty, object.ErrCorrupt
		}
		position = advance(position, h.size())
	}
	return position, 0, empty, object.ErrCorrupt
}

// got counts a message of n bytes as received, and returns the position after
// it.
func (r *ring) got(position, n uint64) uint64 {
	r.receive.messages++
	r.receive.bytes += n
	return advance(position, recordSize(n))
}
