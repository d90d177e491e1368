package channel

import (
	"errors"
	"fmt"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/channel/internal/segment"
	"github.com/filemap-go/filemap/channel/internal/stream"
	"github.com/filemap-go/filemap/object"
)

// block is a mapping with the slots of some streams of a session. It begins with the
// words of all of them, and their rings follow. Its memory is taken when it is first
// used.
type block struct {
	serial  uint32
	mapping *filemap.Mapping
	view    *filemap.View
	slots   []slotWords
	used    []bool // by an earlier stream, so the memory is not 0: dialers
}

// slotWords are what both sides share of a slot, except for its rings: the first is
// from the dialer.
type slotWords struct {
	life  stream.Life
	rings [2]ring.Words
	_     [ring.Line]byte
}

const (
	slotWordsSize = 8 * ring.Line

	// Blocks are larger from one to the next, between these bounds.
	blockFirst = 8
	blockMost  = 1024
	blockBytes = 128 << 20
)

// blockSlots returns how many slots a block has, for rings of a capacity.
func blockSlots(number int, capacity uint64) int {
	most := max(1, min(blockMost, int(blockBytes/(2*capacity))))
	return min(most, blockFirst<<min(number, 16))
}

// blockOf returns in which block a slot is, and as which of its slots.
func (s *session) blockOf(slot uint32) (number, index int) {
	index = int(slot)
	for {
		n := blockSlots(number, s.segment.Shape.Capacity)
		if index < n {
			return number, index
		}
		index -= n
		number++
	}
}

func blockName(session string, serial uint32) string { return fmt.Sprintf("%s~b%d", session, serial) }

// makeBlock creates or opens the block of a number and a serial. The dialer uses no block
// that it has not created, with a serial that no block of the session had before: under a
// Global name, the other could be a stranger's.
func (s *session) makeBlock(number int, serial uint32, way segment.Way) (*block, error) {
	n := blockSlots(number, s.segment.Shape.Capacity)
	size := ringsOfBlockAt(n) + int64(n)*2*int64(s.segment.Shape.Capacity)
	name := blockName(s.segment.Name, serial)
	b := &block{serial: serial, used: make([]bool, n)}
	var err error
	if way == segment.Open {
		b.mapping, err = filemap.Open(name, nil)
	} else {
		b.mapping, err = filemap.Create(name, size, &filemap.CreateOptions{Security: s.segment.Security, Sparse: true})
	}
	if err != nil {
		return nil, err
	}
	if b.mapping.Size() != size { // a stranger's, and it may be huge
		return nil, errors.Join(object.ErrCorrupt, b.mapping.Close())
	}
	if b.view, err = b.mapping.View(0, 0); err == nil {
		b.slots, err = filemap.SliceAt[slotWords](b.view, 0, n)
	}
	if err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func ringsOfBlockAt(slots int) int64 {
	return (int64(slots)*slotWordsSize + segment.PageSize - 1) / segment.PageSize * segment.PageSize
}

func (b *block) close() (err error) {
	if b == nil {
		return nil
	}
	if b.view != nil {
		err = b.view.Close()
	}
	return errors.Join(err, b.mapping.Close())
}

// ring returns one of a slot's rings.
func (b *block) ring(index, i int, capacity uint64) (ring.Ring, error) {
	at := ringsOfBlockAt(len(b.slots)) + int64(2*index+i)*int64(capacity)
	return segment.RingAt(b.view, at, int(capacity), &b.slots[index].rings[i], nil)
}

// end ends both directions of a stream for a side that closes: how is what becomes of
// what it has written. It runs under the view's guard.
func (b *block) end(index int, side stream.Side, how uint64) {
	rings := &b.slots[index].rings
	ring.Store(&rings[side].Bells.SendClosed, how)
	ring.Store(&rings[1-side].Bells.ReceiveClosed, 1)
}

// clear makes a slot's memory what it is for a new stream. It runs under the view's
// guard.
func (b *block) clear(index int, rings [2]ring.Ring) {
	if !b.used[index] {
		b.used[index] = true
		return
	}
	for i := range rings {
		rings[i].Clear()
	}
}
