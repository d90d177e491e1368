package channel

import (
	"encoding/binary"
	"sync/atomic"

	"github.com/filemap-go/filemap/internal/race"
	"github.com/filemap-go/filemap/internal/step"
	"github.com/filemap-go/filemap/object"
)

// slots are where the values of a Latest lie: the newest, and those before it,
// which readers may still be copying. The words are those of a ring. The sending
// end says whose turn to write it is, and, instead of a position, which version
// is the newest: nothing is, until all of its value is there.
//
// They know nothing of waiting. What they read from the shared memory they
// check.
type slots struct {
	lines
	all [slotCount]slot
}

// slot holds one value, and which version it is: 0 while it is written.
type slot struct {
	version *uint64
	value   []byte
	words   []uint64 // the same bytes
}

const (
	// slotCount is how many versions there is room for: a reader has to begin
	// anew only if so many are written, but for one, while it copies.
	slotCount = 4

	// versionMost is where versions begin again at 1.
	versionMost = positionMask / 8

	// noVersion is not a version.
	noVersion = 1 << 63
)

// slotSize returns what a value takes: its version has a line of its own.
func slotSize(size int) int64 { return line + (int64(size)+line-1)/line*line }

// newSlots returns the slots for values of a size that lie in a ring's memory.
func newSlots(r ring, size int) slots {
	s := slots{lines: r.lines}
	for i := range s.all {
		at := int64(i) * slotSize(size)
		value := at + line
		s.all[i] = slot{
			version: &r.headers[at/8],
			value:   r.data[value : value+int64(size)],
			words:   r.headers[value/8 : (value+int64(size)+7)/8],
		}
	}
	return s
}

func (s *slots) of(version uint64) slot { return s.all[version%slotCount] }

func (e end) version() uint64 { return e.position() / 8 }

// write makes a value the newest, if it is nobody's turn, or that of the owner,
// who then has failed on the way before. It returns the end as it found it.
func (s *slots) write(owner uint16, value []byte) (e end, a attempt) {
	e = loadEnd(&s.send.end)
	if e.owner() != owner && !e.take(&s.send.end, owner) {
		return e, taken.by(e.owner())
	}
	version := e.version()%versionMost + 1
	s.of(version).write(version, value)
	s.send.messages++
	s.send.bytes += uint64(len(value))
	leave(&s.send.end, version*8)
	return e, done
}

// read copies the newest value, unless its version is after, or there is none:
// then the slots are empty.
func (s *slots) read(buffer []byte, after uint64) (version uint64, a attempt, err error) {
	const attempts = 1000
	for range attempts {
		version = loadEnd(&s.send.end).version()
		switch {
		case version == 0 || version == after:
			return 0, empty, nil
		case s.of(version).read(version, buffer):
			return version, done, nil
		case loadEnd(&s.send.end).version() == version: // so nobody is writing there
			return 0, empty, object.ErrCorrupt
		}
	}
	return 0, empty, ErrTooFast
}

// release ends the turn of an owner who died on the way: the newest version is
// the one that was.
func (s *slots) release(owner uint16) {
	if e := loadEnd(&s.send.end); e.owner() == owner {
		leave(&s.send.end, e.position())
	}
	s.bells.data.forget(owner)
}

func (s slot) write(version uint64, value []byte) {
	step.Here()
	atomic.StoreUint64(s.version, 0)
	atomic.LoadUint64(s.version) // what follows is written after that
	step.Here()
	s.put(value)
	step.Here()
	atomic.StoreUint64(s.version, version)
}

// read copies a version, and reports whether it is that, and all of it.
func (s slot) read(version uint64, buffer []byte) bool {
	step.Here()
	if atomic.LoadUint64(s.version) != version {
		return false
	}
	step.Here()
	s.get(buffer)
	var fence uint64
	atomic.StoreUint64(&fence, 1) // the copy was made before what follows
	step.Here()
	return atomic.LoadUint64(s.version) == version
}

// put and get copy a value while others may do the same, and find out later. To
// the race detector that would be a race: it gets to see atomic words.

func (s slot) put(value []byte) {
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
