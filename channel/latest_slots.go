package channel

import (
	"encoding/binary"
	"math/bits"
	"sync/atomic"

	"github.com/filemap-go/filemap/internal/race"
	"github.com/filemap-go/filemap/internal/step"
	"github.com/filemap-go/filemap/object"
)

// slots are where the values of a Latest lie: the newest, those before it, which
// readers may still be copying, and those that readers have leased. The words are
// those of a ring: the owner of the sending end is the one writer, and the word
// newest says which value is there for readers.
//
// A writer never waits for a reader. It writes to a slot that is neither the
// newest nor leased, and there is always one: there are more slots than leases.
//
// They know nothing of waiting. What they read from the shared memory they
// check.
type slots struct {
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
	// slotsLeast is how many slots there are besides one for each lease. A reader
	// that copies a value must begin anew only if the slot is written meanwhile,
	// which is after three more values.
	slotsLeast = 4

	// leasesMost makes the slots the bits of a word.
	leasesMost     = 64 - slotsLeast
	leasesDefault  = 2
	versionMost    = positionMask / 8 // then versions begin again at 1
	noVersion      = 1 << 63          // is not a version
	newestSlotBits = 16
)

// slotSize returns what a value takes: its version has a line of its own.
func slotSize(size int) int64 { return line + (int64(size)+line-1)/line*line }

// slotsSize returns what the slots take for values of a size, and so many leases.
func slotsSize(size, leases int) int64 { return int64(leases+slotsLeast) * slotSize(size) }

// newSlots returns the slots for values of a size that lie in a ring's memory.
func newSlots(r ring, size int, leases []uint64) slots {
	s := slots{lines: r.lines, all: make([]slot, len(leases)+slotsLeast), leases: leases}
	for i := range s.all {
		at := int64(i) * slotSize(size)
		value := at + line
		s.all[i] = slot{
			version: &r.headers[at/8],
			value:   r.data[value : value+int64(size) : value+int64(size)],
			words:   r.headers[value/8 : (value+int64(size)+7)/8],
		}
	}
	return s
}

// newest is the word that says which version is the newest, and in which slot it
// is. 0: there is none yet.
//
//	 63                                              16 15                 0
//	+--------------------------------------------------+--------------------+
//	| version                                          | number of the slot |
//	+--------------------------------------------------+--------------------+
type newest uint64

func newNewest(version uint64, slot int) newest {
	return newest(version<<newestSlotBits) | newest(slot)
}

func (n newest) version() uint64 { return uint64(n) >> newestSlotBits }
func (n newest) slot() int       { return int(n & (1<<newestSlotBits - 1)) }

func (s *slots) newest() newest {
	return newest(load(&s.send.newest))
}

// write makes a value the newest, if the end is nobody's, or the owner's, which
// then has failed on the way before. It returns the end as it found it.
func (s *slots) write(owner uint16, value []byte) (e end, a attempt, err error) {
	at, e, a, err := s.reserve(owner)
	if a == done {
		s.all[at].put(value)
		s.commit(at)
	}
	return e, a, err
}

// reserve takes the end, and a slot for the next value.
func (s *slots) reserve(owner uint16) (at int, e end, a attempt, err error) {
	e = loadEnd(&s.send.end)
	if e.owner() != owner && !e.take(&s.send.end, owner) {
		return 0, e, taken.by(e.owner()), nil
	}
	if at, err = s.free(); err != nil {
		s.abort()
		return 0, e, empty, err
	}
	return at, e, done, nil
}

// commit makes what the owner of the end has written to a slot the newest value.
func (s *slots) commit(at int) {
	version := s.newest().next()
	step.Here()
	publish(s.all[at].version, version)
	s.send.messages++
	s.send.bytes += uint64(len(s.all[at].value))
	step.Here()
	publish(&s.send.newest, uint64(newNewest(version, at)))
	leave(&s.send.end, version*8)
}

// abort gives up the end. The newest value stays what it is.
func (s *slots) abort() { leave(&s.send.end, s.newest().version()*8) }

func (n newest) next() (version uint64) { return n.version()%versionMost + 1 }

// free returns a slot that may be written, and is marked so. While nothing is
// leased these are the first four in turn.
func (s *slots) free() (at int, err error) {
	n := s.newest()
	at = int(n.next() % slotsLeast)
	for range lookups {
		if at != n.slot() && s.claim(at) {
			return at, nil
		}
		free := uint64(1)<<len(s.all) - 1 // if all are slots the shift gives 0
		free &^= s.leased() | 1<<n.slot()
		if free == 0 {
			break
		}
		at = bits.Len64(free) - 1
	}
	return 0, object.ErrCorrupt
}

// lookups is how often to look for a slot or a value, if other processes are faster
// again and again.
const lookups = 1000

// claim marks a slot as being written, unless it is leased. A reader first says
// what it leases, then looks for that mark: one of the two sees the other.
func (s *slots) claim(at int) bool {
	store(s.all[at].version, 0)
	return s.leased()>>at&1 == 0 // and what follows is written after that
}

// leased returns which slots are leased: a bit for each.
func (s *slots) leased() (all uint64) {
	for i := range s.leases {
		all |= lease(load(&s.leases[i])).slots()
	}
	return all
}

// read copies the newest value, unless its version is after, or there is none:
// then the slots are empty.
func (s *slots) read(buffer []byte, after uint64) (version uint64, a attempt, err error) {
	for range lookups {
		n := s.newest()
		version = n.version()
		switch {
		case version == 0 || version == after:
			return 0, empty, nil
		case n.slot() >= len(s.all):
			return 0, empty, object.ErrCorrupt
		case s.all[n.slot()].read(version, buffer):
			return version, done, nil
		case s.newest() == n: // nobody writes to that slot
			return 0, empty, object.ErrCorrupt
		}
	}
	return 0, empty, ErrTooFast
}

// release frees what a place has whose owner is dead: the newest value is the one
// that was committed last.
func (s *slots) release(owner uint16) {
	if e := loadEnd(&s.send.end); e.owner() == owner {
		s.abort()
	}
	for i := range s.leases {
		s.giveBack(i, owner)
	}
	s.bells.data.forget(owner)
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
	return load(s.version) == version
}

// put and get copy a value while others may do the same, and find out later. To
// the race detector that would be a race: it gets to see atomic words.

func (s slot) put(value []byte) {
	step.Here()
	if !race.Enabled {
		copyBytes(s.value, value)
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
		copyBytes(buffer, s.value)
		return
	}
	var word [8]byte
	for i := range s.words {
		binary.NativeEndian.PutUint64(word[:], atomic.LoadUint64(&s.words[i]))
		copy(buffer[8*i:len(s.value)], word[:])
	}
}
