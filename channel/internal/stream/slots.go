package stream

import (
	"math/bits"
	"slices"
)

// Slots are the slots of a session as its dialer has them: it alone chooses the slot
// of a new stream. Low slots are used first, so that those at the end can be given
// back. A caller makes one call at a time.
type Slots struct {
	slots      []slot
	free       [Most / 64]uint64 // a bit for each slot
	used       int
	left       []uint32 // slots that this side has left, and the other side had not
	generation uint64   // the last one that was given
}

type slot struct {
	life       *Life
	generation uint64 // 0: the slot is free
}

// Add adds a slot at the end.
func (s *Slots) Add(life *Life) {
	number := uint32(len(s.slots))
	s.slots = append(s.slots, slot{life: life})
	s.free[number/64] |= 1 << (number % 64)
}

// Cut removes the slots from n on, which must be free.
func (s *Slots) Cut(n int) {
	for number := n; number < len(s.slots); number++ {
		s.free[number/64] &^= 1 << (number % 64)
	}
	clear(s.slots[n:])
	s.slots = s.slots[:n]
}

// Len returns how many slots there are, and Used how many are not free.
func (s *Slots) Len() int  { return len(s.slots) }
func (s *Slots) Used() int { return s.used }

// End returns the number after that of the last slot which is not free.
func (s *Slots) End() int {
	n := len(s.slots)
	for n > 0 && s.slots[n-1].generation == 0 {
		n--
	}
	return n
}

// Take takes a free slot for a stream, whose words the caller then makes what they must
// be, before it calls [Life.Begin]. It reports false if no slot is free.
func (s *Slots) Take() (number uint32, life *Life, generation uint64, ok bool) {
	for i, word := range s.free[:(len(s.slots)+63)/64] {
		if word == 0 {
			continue
		}
		number = uint32(64*i + bits.TrailingZeros64(word))
		s.free[i] &= word - 1
		s.used++
		s.generation++
		taken := &s.slots[number]
		taken.generation = s.generation
		return number, taken.life, s.generation, true
	}
	return 0, nil, 0, false
}

// Leave says that this side does not use the stream of a slot any more. The slot is
// free when the other side has left it, too: see Sweep.
func (s *Slots) Leave(number uint32) {
	leaving := s.slots[number]
	s.left = append(s.left, number)
	if ended, err := leaving.life.Leave(leaving.generation, Dialer); ended || err != nil {
		s.left = s.left[:len(s.left)-1]
		s.Drop(number)
	}
}

// Sweep frees the slots that both sides have left. ended asks [Life.Ended], and may
// report true if that can't be asked.
func (s *Slots) Sweep(ended func(number uint32, life *Life, generation uint64) bool) {
	s.left = slices.DeleteFunc(s.left, func(number uint32) bool {
		left := s.slots[number]
		if !ended(number, left.life, left.generation) {
			return false
		}
		s.Drop(number)
		return true
	})
}

// Drop frees a slot of whose stream the other side does not know.
func (s *Slots) Drop(number uint32) {
	s.slots[number] = slot{life: s.slots[number].life}
	s.free[number/64] |= 1 << (number % 64)
	s.used--
}
