package channel

import (
	"runtime"
	"sync/atomic"

	"github.com/filemap-go/filemap/internal/race"
	"github.com/filemap-go/filemap/internal/step"
	"github.com/filemap-go/filemap/object"
)

// cursor is where a subscriber is in a series. Where that is, is in its place:
// a publisher takes it along over padding.
type cursor struct {
	*broadcast
	place    *place
	at       uint16 // the number of the place
	number   uint64 // of the message that comes next
	received uint64
	lost     uint64
	lapped   bool   // messages before the next one are lost
	wanted   bool   // a publisher waits for room
	order    uint64 // nothing: see wasIntact
}

func (s *broadcast) cursor(number uint16) *cursor {
	return &cursor{broadcast: s, place: &s.places[number-1], at: number}
}

const (
	// lapsMost is how often a subscriber that is overtaken again and again, or
	// taken along, looks before others have a turn.
	lapsMost = 64

	// joinsMost is how often one who subscribes tries to.
	joinsMost = 1000
)

// next reads the message at the cursor, if there is one, and moves on.
func (c *cursor) next(buffer []byte) (message []byte, a attempt, err error) {
	for range lapsMost {
		position, h, a, err := c.look()
		switch {
		case a.result() == taken:
			continue
		case a != done:
			return nil, a, err
		}
		number := c.loadNumber(position)
		buffer = c.copyOut(buffer[:0], position, h.length()-numberSize)
		if intact, err := c.wasIntact(position); err != nil {
			return nil, empty, err
		} else if intact {
			if err := c.pass(number, advance(position, h.size())); err != nil {
				return nil, empty, err
			}
			return buffer, done, nil
		}
	}
	return nil, taken, nil
}

// find returns where the message at the cursor is, if there is one, and its length.
func (c *cursor) find() (position, n uint64, a attempt, err error) {
	for range lapsMost {
		position, h, a, err := c.look()
		if a.result() != taken {
			return position, h.length() - numberSize, a, err
		}
	}
	return 0, 0, taken, nil
}

// look returns the header of the message at the cursor. If the cursor has moved
// instead, over padding for instance, the result is taken.
func (c *cursor) look() (position uint64, h header, a attempt, err error) {
	position, ok := c.position()
	if !ok {
		return 0, 0, empty, errPosition
	}
	h = c.load(position)
	intact, err := c.isIntact(position)
	switch {
	case err != nil:
		return 0, 0, empty, err
	case !intact:
		return 0, 0, taken, nil
	case h == 0:
		return 0, 0, empty, nil
	case !h.fits(position, c.size()-position&c.mask), !h.isPadding() && h.length() < numberSize:
		return 0, 0, empty, object.ErrCorrupt
	case h.isPadding():
		c.move(advance(position, h.size()))
		return 0, 0, taken, nil
	}
	return position, h, done, nil
}

// passLeased moves on past a message that find has found, and reports whether it was
// there until now.
func (c *cursor) passLeased(position, n uint64) (intact bool, err error) {
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
func (c *cursor) position() (position uint64, ok bool) {
	step.Here()
	word := atomic.LoadUint64(&c.place.position)
	return aligned(word), isPosition(word)
}

// isIntact reports whether what was read at a position by atomic loads is what
// was written there. If not, the cursor is somewhere else now.
func (c *cursor) isIntact(position uint64) (bool, error) {
	switch {
	case !c.overwrites:
		now, _ := c.position()
		return now == position, nil
	case !c.isOverwritten(position):
		return true, nil
	}
	return false, c.catchUp()
}

// wasIntact is isIntact after a copy.
func (c *cursor) wasIntact(position uint64) (bool, error) {
	if !c.overwrites {
		return true, nil // the publisher waits for the cursor
	}
	if runtime.GOARCH != "amd64" {
		// Loads are done in order here only with a store in between.
		atomic.StoreUint64(&c.order, position)
	}
	return c.isIntact(position)
}

// isOverwritten reports whether what was at a position may be overwritten.
func (c *cursor) isOverwritten(position uint64) bool {
	step.Here()
	return distance(atomic.LoadUint64(&c.receive.limit), position) > c.size()
}

// catchUp moves the cursor, which was overtaken, to the oldest message.
func (c *cursor) catchUp() error {
	step.Here()
	limit := atomic.LoadUint64(&c.receive.limit)
	step.Here()
	oldest := aligned(atomic.LoadUint64(&c.receive.oldest))
	step.Here()
	if atomic.LoadUint64(&c.receive.limit) == limit && distance(limit, oldest) > c.size() {
		return object.ErrCorrupt
	}
	c.lapped = true
	c.move(oldest)
	return nil
}

// pass moves the cursor on past the message of a number.
func (c *cursor) pass(number, next uint64) error {
	lost := number - c.number
	if lost != 0 && !c.lapped || lost > 1<<63 {
		return object.ErrCorrupt
	}
	c.lapped = false
	c.number = number + 1
	c.lost += lost
	c.received++
	publish(&c.place.received, c.received)
	publish(&c.place.lost, c.lost)
	publish(&c.place.number, c.number)
	c.move(next)
	return nil
}

func (c *cursor) move(next uint64) {
	step.Here()
	if c.overwrites {
		publish(&c.place.position, next)
		return
	}
	if race.Swap(&c.place.position, next)&waited != 0 {
		c.wanted = true
	}
}

// join puts the cursor where the next message will be, or before as many of the
// last ones as are still there.
func (c *cursor) join(last uint64) error {
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
func (c *cursor) joinAt(position, number uint64) bool {
	c.number = number
	publish(&c.place.number, number)
	for known := uint64(0); known < uint64(c.at); {
		step.Here()
		if known = atomic.LoadUint64(&c.receive.places); known < uint64(c.at) {
			atomic.CompareAndSwapUint64(&c.receive.places, known, uint64(c.at))
		}
	}
	step.Here()
	atomic.StoreUint64(&c.place.position, position)
	step.Here()
	atomic.StoreUint64(&c.place.state, subscribed)
	if c.overwrites || !c.isOverwritten(position) {
		return true
	}
	c.wanted = c.place.unsubscribe() || c.wanted
	return false
}

// newest returns where the next message will be, and its number.
func (c *cursor) newest() (position, number uint64, ok bool) {
	position = loadEnd(&c.send.end).position()
	step.Here()
	number = atomic.LoadUint64(&c.send.messages)
	for range 2 { // there is no padding after padding
		h := c.load(position)
		switch {
		case h == 0:
			// None has been committed there: so the number was its number.
			return position, number, !c.isOverwritten(position)
		case !h.fits(position, c.size()-position&c.mask):
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
func (c *cursor) back(end, number, last uint64) (position, first uint64, ok bool) {
	step.Here()
	position = aligned(atomic.LoadUint64(&c.receive.oldest))
	for position != end {
		h := c.load(position)
		first = c.loadNumber(position)
		if c.isOverwritten(position) || !h.fits(position, c.size()-position&c.mask) {
			return 0, 0, false
		}
		if !h.isPadding() && number-first <= last {
			return position, first, true
		}
		position = advance(position, h.size())
		if distance(end, position) > c.size() {
			return 0, 0, false
		}
	}
	return end, number, true
}
