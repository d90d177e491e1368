package ring

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"sync/atomic"

	"github.com/filemap-go/filemap/internal/race"
	"github.com/filemap-go/filemap/internal/step"
	"github.com/filemap-go/filemap/object"
)

// Slots are where the values of a Latest lie: the newest, those before it, which
// readers may still be copying, and those that readers have leased. The words are
// those of a ring: the owner of the sending end is the one writer, and the word
// newest says which value is there for readers.
//
// A writer never waits for a reader. It writes to a slot that is neither the
// newest nor leased, and there is always one: there are more slots than leases.
//
// They know nothing of waiting. What they read from the shared memory they
// check.
type Slots struct {
	lines
	all    []slot
	leases []uint64 // shared: see lease
}

// slot holds one value, and which version it is: 0 while it is written.
type slot struct {
	version *uint64
	value   []byte
	words   []uint64 // the same bytes
}

const (
	// SlotsLeast is how many slots there are besides one for each lease. A reader
	// that copies a value must begin anew only if the slot is written meanwhile,
	// which is after three more values.
	SlotsLeast = 4

	// LeasesMost is how many leases there can be: it makes the slots the bits of a word.
	LeasesMost = 64 - SlotsLeast

	// NoVersion is not a version.
	NoVersion = 1 << 63

	versionMost    = positionMask / 8 // then versions begin again at 1
	newestSlotBits = 16
)

// SlotSize returns what a value takes: its version has a line of its own.
func SlotSize(size int) int64 { return Line + (int64(size)+Line-1)/Line*Line }

// SlotsSize returns what the slots take for values of a size, and so many leases.
func SlotsSize(size, leases int) int64 { return int64(leases+SlotsLeast) * SlotSize(size) }

// NewSlots returns the slots for values of a size that lie in a ring's memory.
func NewSlots(r Ring, size int, leases []uint64) Slots {
	s := Slots{lines: r.lines, all: make([]slot, len(leases)+SlotsLeast), leases: leases}
	for i := range s.all {
		at := int64(i) * SlotSize(size)
		value := at + Line
		s.all[i] = slot{
			version: &r.headers[at/8],
			value:   r.data[value : value+int64(size) : value+int64(size)],
			words:   r.headers[value/8 : (value+int64(size)+7)/8],
		}
	}
	return s
}

// Newest is the word that says which version is the newest, and in which slot it
// is. 0: there is none yet.
//
//	 63                                              16 15                 0
//	+--------------------------------------------------+--------------------+
//	| version                                          | number of the slot |
//	+--------------------------------------------------+--------------------+
type Newest uint64

func newNewest(version uint64, slot int) Newest {
	return Newest(version<<newestSlotBits) | Newest(slot)
}

// Version returns the version: 0 if there is none yet.
func (n Newest) Version() uint64 { return uint64(n) >> newestSlotBits }

// Slot returns the number of the slot.
func (n Newest) Slot() int { return int(n & (1<<newestSlotBits - 1)) }

// Newest returns which version a copy of the words says is the newest.
func (w *Words) Newest() Newest { return Newest(w.Send.newest) }

// Newest returns which version is the newest.
func (s *Slots) Newest() Newest {
	return Newest(Load(&s.Send.newest))
}

// Write makes a value the newest, if the end is nobody's, or the owner's, which
// then has failed on the way before. It returns the end as it found it.
func (s *Slots) Write(owner uint16, value []byte) (e End, a Attempt, err error) {
	at, e, a, err := s.Reserve(owner)
	if a == Done {
		s.all[at].put(value)
		s.Commit(at)
	}
	return e, a, err
}

// Reserve takes the end, and a slot for the next value.
func (s *Slots) Reserve(owner uint16) (at int, e End, a Attempt, err error) {
	e = LoadEnd(&s.Send.End)
	if e.Owner() != owner && !e.Take(&s.Send.End, owner) {
		return 0, e, Taken.By(e.Owner()), nil
	}
	if at, err = s.free(); err != nil {
		s.Abort()
		return 0, e, Empty, err
	}
	return at, e, Done, nil
}

// Commit makes what the owner of the end has written to a slot the newest value.
func (s *Slots) Commit(at int) {
	version := s.Newest().next()
	step.Here()
	publish(s.all[at].version, version)
	s.Send.Messages++
	s.Send.Bytes += uint64(len(s.all[at].value))
	step.Here()
	publish(&s.Send.newest, uint64(newNewest(version, at)))
	Leave(&s.Send.End, version*8)
}

// Abort gives up the end. The newest value stays what it is.
func (s *Slots) Abort() { Leave(&s.Send.End, s.Newest().Version()*8) }

func (n Newest) next() (version uint64) { return n.Version()%versionMost + 1 }

// free returns a slot that may be written, and is marked so. While nothing is
// leased these are the first four in turn.
func (s *Slots) free() (at int, err error) {
	n := s.Newest()
	at = int(n.next() % SlotsLeast)
	for range lookups {
		if at != n.Slot() && s.claim(at) {
			return at, nil
		}
		free := uint64(1)<<len(s.all) - 1 // if all are slots the shift gives 0
		free &^= s.leased() | 1<<n.Slot()
		if free == 0 {
			break
		}
		at = bits.Len64(free) - 1
	}
	return 0, object.ErrCorrupt
}

// ErrTooFast: each value was overwritten before it could be read.
var ErrTooFast = errors.New("values are written faster than they can be read")

// lookups is how often to look for a slot or a value, if other processes are faster
// again and again.
const lookups = 1000

// claim marks a slot as being written, unless it is leased. A reader first says
// what it leases, then looks for that mark: one of the two sees the other.
func (s *Slots) claim(at int) bool {
	Store(s.all[at].version, 0)
	return s.leased()>>at&1 == 0 // and what follows is written after that
}

// leased returns which slots are leased: a bit for each.
func (s *Slots) leased() (all uint64) {
	for i := range s.leases {
		all |= lease(Load(&s.leases[i])).slots()
	}
	return all
}

// Read copies the newest value, unless its version is after, or there is none:
// then the slots are empty.
func (s *Slots) Read(buffer []byte, after uint64) (version uint64, a Attempt, err error) {
	for range lookups {
		n := s.Newest()
		version = n.Version()
		switch {
		case version == 0 || version == after:
			return 0, Empty, nil
		case n.Slot() >= len(s.all):
			return 0, Empty, object.ErrCorrupt
		case s.all[n.Slot()].read(version, buffer):
			return version, Done, nil
		case s.Newest() == n: // nobody writes to that slot
			return 0, Empty, object.ErrCorrupt
		}
	}
	return 0, Empty, ErrTooFast
}

// Value returns the bytes of a slot.
func (s *Slots) Value(at int) []byte { return s.all[at].value }

// Release frees what a place has whose owner is dead: the newest value is the one
// that was committed last.
func (s *Slots) Release(owner uint16) {
	if e := LoadEnd(&s.Send.End); e.Owner() == owner {
		s.Abort()
	}
	for i := range s.leases {
		s.GiveBack(i, owner)
	}
	s.Bells.Data.Forget(owner)
}

// read copies a version, and reports whether it is that, and all of it.
func (s slot) read(version uint64, buffer []byte) bool {
	if !s.is(version) {
		return false
	}
	step.Here()
	s.get(buffer)
	var fence uint64
	atomic.StoreUint64(&fence, 1) // the copy was made before what follows
	return s.is(version)
}

// is reports whether the slot holds a version.
func (s slot) is(version uint64) bool {
	return Load(s.version) == version
}

// put and get copy a value while others may do the same, and find out later. To
// the race detector that would be a race: it gets to see atomic words.

func (s slot) put(value []byte) {
	step.Here()
	if !race.Enabled {
		Copy(s.value, value)
		return
	}
	var word [8]byte
	for i := range s.words {
		copy(word[:], value[8*i:])
		atomic.StoreUint64(&s.words[i], binary.NativeEndian.Uint64(word[:]))
	}
}

func (s slot) get(buffer []byte) {
	if !race.Enabled {
		Copy(buffer, s.value)
		return
	}
	var word [8]byte
	for i := range s.words {
		binary.NativeEndian.PutUint64(word[:], atomic.LoadUint64(&s.words[i]))
		copy(buffer[8*i:len(s.value)], word[:])
	}
}
