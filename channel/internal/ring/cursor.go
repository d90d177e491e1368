package ring

import (
	"runtime"
	"sync/atomic"

	"github.com/filemap-go/filemap/internal/race"
	"github.com/filemap-go/filemap/internal/step"
	"github.com/filemap-go/filemap/object"
)

// Cursor is where a subscriber is in a ring. Where that is, is in its place:
// a publisher takes it along over padding.
type Cursor struct {
	*Broadcast
	place    *Place
	at       uint16 // the number of the place
	number   uint64 // of the message that comes next
	received uint64
	Lost     uint64
	lapped   bool   // messages before the next one are lost
	Wanted   bool   // a publisher waits for room
	order    uint64 // nothing: see wasIntact
}

// Cursor returns a cursor for the place of a number.
func (s *Broadcast) Cursor(number uint16) *Cursor {
	return &Cursor{Broadcast: s, place: &s.places[number-1], at: number}
}

const (
	// lapsMost is how often a subscriber that is overtaken again and again, or
	// taken along, looks before others have a turn.
	lapsMost = 64

	// joinsMost is how often a subscriber tries to join.
	joinsMost = 1000
)

// Next reads the message at the cursor, if there is one, and moves on.
func (c *Cursor) Next(buffer []byte) (message []byte, a Attempt, err error) {
	for range lapsMost {
		position, h, a, err := c.look()
		switch {
		case a.Result() == Taken:
			continue
		case a != Done:
			return nil, a, err
		}
		number := c.loadNumber(position)
		buffer = c.copyOut(buffer[:0], position, h.Length()-numberSize)
		if intact, err := c.wasIntact(position); err != nil {
			return nil, Empty, err
		} else if intact {
			if err := c.pass(number, advance(position, h.size())); err != nil {
				return nil, Empty, err
			}
			return buffer, Done, nil
		}
	}
	return nil, Taken, nil
}

// Find returns where the message at the cursor is, if there is one, and its length.
func (c *Cursor) Find() (position, n uint64, a Attempt, err error) {
	for range lapsMost {
		position, h, a, err := c.look()
		if a.Result() != Taken {
			return position, h.Length() - numberSize, a, err
		}
	}
	return 0, 0, Taken, nil
}

// look returns the header of the message at the cursor. If the cursor has moved
// instead, over padding for instance, the result is taken.
func (c *Cursor) look() (position uint64, h Header, a Attempt, err error) {
	position, ok := c.position()
	if !ok {
		return 0, 0, Empty, errPosition
	}
	h = c.Load(position)
	intact, err := c.isIntact(position)
	switch {
	case err != nil:
		return 0, 0, Empty, err
	case !intact:
		return 0, 0, Taken, nil
	case h == 0:
		return 0, 0, Empty, nil
	case !h.fits(position, c.Size()-position&c.mask), !h.isPadding() && h.Length() < numberSize:
		return 0, 0, Empty, object.ErrCorrupt
	case h.isPadding():
		c.move(advance(position, h.size()))
		return 0, 0, Taken, nil
	}
	return position, h, Done, nil
}

// PassLeased moves on past a message that Find has found, and reports whether it was
// there until now.
func (c *Cursor) PassLeased(position, n uint64) (intact bool, err error) {
	number := c.loadNumber(position)
	if intact, err = c.wasIntact(position); err != nil || !intact {
		return false, err
	}
	return true, c.pass(number, advance(position, topicSize(n)))
}

// errPosition is an [object.ErrCorrupt].
var errPosition = object.Explain(object.ErrCorrupt, "the subscriber's position was overwritten")

// position returns where the cursor is. It reports false if another process has
// written something else there.
func (c *Cursor) position() (position uint64, ok bool) {
	step.Here()
	word := atomic.LoadUint64(&c.place.position)
	return aligned(word), isPosition(word)
}

// isIntact reports whether what was read at a position by atomic loads is what
// was written there. If not, the cursor is somewhere else now.
func (c *Cursor) isIntact(position uint64) (bool, error) {
	switch {
	case !c.Overwrites:
		now, _ := c.position()
		return now == position, nil
	case !c.isOverwritten(position):
		return true, nil
	}
	return false, c.catchUp()
}

// wasIntact is isIntact after a copy.
func (c *Cursor) wasIntact(position uint64) (bool, error) {
	if !c.Overwrites {
		return true, nil // the publisher waits for the cursor
	}
	if runtime.GOARCH != "amd64" {
		// Loads are done in order here only with a store in between.
		atomic.StoreUint64(&c.order, position)
	}
	return c.isIntact(position)
}

// isOverwritten reports whether what was at a position may be overwritten.
func (c *Cursor) isOverwritten(position uint64) bool {
	step.Here()
	return distance(atomic.LoadUint64(&c.Receive.limit), position) > c.Size()
}

// catchUp moves the cursor, which was overtaken, to the oldest message.
func (c *Cursor) catchUp() error {
	step.Here()
	limit := atomic.LoadUint64(&c.Receive.limit)
	step.Here()
	oldest := aligned(atomic.LoadUint64(&c.Receive.oldest))
	step.Here()
	if atomic.LoadUint64(&c.Receive.limit) == limit && distance(limit, oldest) > c.Size() {
		return object.ErrCorrupt
	}
	c.lapped = true
	c.move(oldest)
	return nil
}

// pass moves the cursor on past the message of a number.
func (c *Cursor) pass(number, next uint64) error {
	lost := number - c.number
	if lost != 0 && !c.lapped || lost > 1<<63 {
		return object.ErrCorrupt
	}
	c.lapped = false
	c.number = number + 1
	c.Lost += lost
	c.received++
	publish(&c.place.Received, c.received)
	publish(&c.place.Lost, c.Lost)
	publish(&c.place.Number, c.number)
	c.move(next)
	return nil
}

func (c *Cursor) move(next uint64) {
	step.Here()
	if c.Overwrites {
		publish(&c.place.position, next)
		return
	}
	if race.Swap(&c.place.position, next)&waited != 0 {
		c.Wanted = true
	}
}

// Join puts the cursor where the next message will be, or before as many of the
// last ones as are still there.
func (c *Cursor) Join(last uint64) error {
	for try := range joinsMost {
		if try > joinsMost/2 {
			last = 0 // there are too many, of which none is there for long
		}
		position, number, ok := c.newest()
		if ok && last > 0 {
			position, number, ok = c.back(position, number, last)
		}
		if ok && c.joinAt(position, number) {
			return nil
		}
	}
	return object.ErrCorrupt
}

// joinAt has the publisher wait for the cursor, unless it has not been waited
// for there.
func (c *Cursor) joinAt(position, number uint64) bool {
	c.number = number
	publish(&c.place.Number, number)
	for known := uint64(0); known < uint64(c.at); {
		step.Here()
		if known = atomic.LoadUint64(&c.Receive.places); known < uint64(c.at) {
			atomic.CompareAndSwapUint64(&c.Receive.places, known, uint64(c.at))
		}
	}
	step.Here()
	atomic.StoreUint64(&c.place.position, position)
	step.Here()
	atomic.StoreUint64(&c.place.State, subscribed)
	if c.Overwrites || !c.isOverwritten(position) {
		return true
	}
	c.Wanted = c.place.Unsubscribe() || c.Wanted
	return false
}

// newest returns where the next message will be, and its number.
func (c *Cursor) newest() (position, number uint64, ok bool) {
	position = LoadEnd(&c.Send.End).Position()
	step.Here()
	number = atomic.LoadUint64(&c.Send.Messages)
	for range 2 { // there is no padding after padding
		h := c.Load(position)
		switch {
		case h == 0:
			// None has been committed there: so the number was its number.
			return position, number, !c.isOverwritten(position)
		case !h.fits(position, c.Size()-position&c.mask):
			return 0, 0, false
		case !h.isPadding():
			number = c.loadNumber(position)
			return position, number, !c.isOverwritten(position)
		}
		position = advance(position, h.size())
	}
	return 0, 0, false
}

// back returns where the first of the last messages is before an end, which is
// where the message of a number will be, and the number of that first.
func (c *Cursor) back(end, number, last uint64) (position, first uint64, ok bool) {
	step.Here()
	position = aligned(atomic.LoadUint64(&c.Receive.oldest))
	for position != end {
		h := c.Load(position)
		first = c.loadNumber(position)
		if c.isOverwritten(position) || !h.fits(position, c.Size()-position&c.mask) {
			return 0, 0, false
		}
		if !h.isPadding() && number-first <= last {
			return position, first, true
		}
		position = advance(position, h.size())
		if distance(end, position) > c.Size() {
			return 0, 0, false
		}
	}
	return end, number, true
}
