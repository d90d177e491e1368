package stream

import (
	"encoding/binary"
	"testing"
)

// FuzzHostileWords has the other side write what it likes into all words, between the
// calls of this side: no call fails otherwise than by its errors, no slot is given to two
// streams, and all slots are free when this side has left all streams and the other
// side has, or its words say nothing that can be.
func FuzzHostileWords(f *testing.F) {
	f.Add([]byte{0, 0, 1, 0, 2, 0, 3, 0, 4, 9, 9, 9, 9, 9, 9, 9, 9, 0, 1, 1})
	f.Add([]byte{0, 0, 0, 0, 0, 0, 6, 255, 255, 255, 255, 255, 255, 255, 255, 5, 1, 0, 4, 2, 7, 0})
	f.Add([]byte{0, 0, 4, 3, 31, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 3, 0, 0})
	f.Fuzz(func(t *testing.T, program []byte) {
		h := &hostile{T: t, lives: make([]Life, 70), used: map[uint32]uint64{}}
		for i := range h.lives {
			h.slots.Add(&h.lives[i])
		}
		h.waiters = NewWaiters(&h.news, newHeapBell(), unguarded)
		for len(program) >= 2 {
			op, arg := program[0], uint32(program[1])
			program = program[2:]
			var word [8]byte
			if op%8 >= 4 {
				program = program[copy(word[:], program):]
			}
			h.do(op%8, arg, binary.LittleEndian.Uint64(word[:]))
		}
		h.finish()
	})
}

type hostile struct {
	*testing.T
	slots   Slots
	lives   []Life
	news    News
	waiters *Waiters
	used    map[uint32]uint64 // the generations of the streams that this side has
}

func (h *hostile) do(op byte, arg uint32, word uint64) {
	slot := arg % uint32(len(h.lives))
	switch op {
	case 0:
		slot, life, generation, ok := h.slots.Take()
		if !ok {
			return
		}
		if h.used[slot] != 0 || h.waiters.Add(slot) == nil {
			h.Fatalf("slot %d was given twice", slot)
		}
		h.used[slot] = generation
		life.Begin(generation)
	case 1:
		h.leave(slot)
	case 2:
		if err := h.waiters.hand(); err != nil {
			h.Fatal(err)
		}
		sweep(&h.slots)
	case 3:
		if generation := h.used[slot]; generation != 0 {
			_, _ = h.lives[slot].Decide(generation, GivenUp)
		}
	case 4:
		h.lives[slot].word = word
	case 5:
		h.news.words[arg%uint32(len(h.news.words))] = word
	case 6:
		h.news.summary[arg%uint32(len(h.news.summary))] = word
	case 7:
		h.news.sleeping = word
		h.news.Tell(slot)
	}
}

func (h *hostile) leave(slot uint32) {
	if h.used[slot] == 0 {
		return
	}
	h.slots.Leave(slot)
	h.waiters.Remove(slot)
	delete(h.used, slot)
}

func (h *hostile) finish() {
	for slot := range uint32(len(h.lives)) {
		h.leave(slot)
	}
	for i := range h.slots.slots {
		if s := h.slots.slots[i]; s.generation != 0 {
			_, _ = s.life.Leave(s.generation, Accepter)
		}
	}
	sweep(&h.slots)
	if h.slots.Used() != 0 || h.slots.End() != 0 || h.waiters.Len() != 0 {
		h.Fatalf("left: %d slots, %d streams", h.slots.Used(), h.waiters.Len())
	}
}
