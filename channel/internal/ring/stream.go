package ring

import (
	"github.com/filemap-go/filemap/internal/race"
	"github.com/filemap-go/filemap/internal/step"
)

// What a ring is to the streams of connections: it has one sender and one receiver,
// which do not take its ends, so these have no owners.

// Clear makes the ring's memory what a new one is for, after an earlier stream.
func (r *Ring) Clear() {
	*r.Send, *r.Receive, *r.Bells = sendWords{}, receiveWords{}, bellWords{}
	clear(r.data[:zeroedSize])
}

// lowPart is the part of a ring, 1 / lowPart, that is used while the reader keeps
// up.
const lowPart = 16

// ReserveLow is Reserve for a message of n bytes where the ring has no owners.
func (r *Ring) ReserveLow(n uint64) (at uint64, a Attempt) {
	size := recordSize(n)
	return r.reserveRecord(r.restart(size), size, 0)
}

// restart returns where the next record of n bytes begins: back at the ring's
// beginning, if the reader has read everything and a part of the ring is used. The
// rest takes no memory then, and stays out of the processor's caches.
func (r *Ring) restart(n uint64) (position uint64) {
	position = LoadEnd(&r.Send.End).Position()
	at := position & r.mask
	if at+n <= r.Size()/lowPart || at < zeroedSize || LoadEnd(&r.Receive.End).Position() != position {
		return position
	}
	next := advance(position, r.Rest(position))
	r.pad(position, next, 0)
	step.Here()
	race.CompareAndSwap(&r.Receive.End, uint64(newEnd(position, 0)), uint64(newEnd(next, 0)))
	return next
}

// Front is Next at the receiving end. Where there is nothing, the writer may move
// that end: see restart.
func (r *Ring) Front() (position, n uint64, a Attempt, err error) {
	for range frontLooks {
		end := LoadEnd(&r.Receive.End)
		position, n, a, err = r.Next(end.Position())
		if a == Done && err == nil || LoadEnd(&r.Receive.End) == end {
			break
		}
	}
	return position, n, a, err
}

// frontLooks bounds front: a writer moves the end once before it writes.
const frontLooks = 4

// IsHalfEmpty reports whether it is worth to wake a writer that waits for room: it
// goes to sleep as soon as the ring is full again.
func (r *Ring) IsHalfEmpty() bool {
	unread := distance(LoadEnd(&r.Send.End).Position(), LoadEnd(&r.Receive.End).Position())
	return unread <= r.Size()/2
}

// Unread returns how many bytes of the ring the receiver has yet to read, of whole
// records.
func (r *Ring) Unread() (bytes uint64, err error) {
	position := LoadEnd(&r.Receive.End).Position()
	for start := position; distance(position, start) < r.Size(); {
		at, length, a, err := r.Next(position)
		if a != Done || err != nil {
			return bytes, err
		}
		bytes += length
		position = advance(at, recordSize(length))
	}
	return bytes, nil
}
