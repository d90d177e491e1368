package segment

import (
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"math/rand/v2"
	"sync/atomic"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// Segment is a channel's memory and the objects that belong to it, as one
// process has them open. All of them are named after the channel:
//
//	NAME        the mapping
//	NAME~data   an event: wakes what waits for messages
//	NAME~room   an event: wakes what waits for room
//	NAME~1 ...  a mutex for each place, held by the handle that has the place
type Segment struct {
	Name     string // with its prefix
	Security *object.Security
	kind     Kind

	mapping *filemap.Mapping
	View    *filemap.View
	Shape   Preamble // a copy: others may write to the original
	Member  Member
	Peers   Peers
	parts   []interface{ Close() error } // what else Close closes
	Closed  atomic.Bool                  // set by the kind's Close
}

// Spec is what a new channel is to be.
type Spec struct {
	Name     string
	Kind     Kind
	Capacity int64  // of each ring
	Option   uint64 // the kind's own
	Hands    uint32 // how many messages can be in hand: queues
	Security *object.Security
	Type     Type                 // of the messages: zero if they have none
	Check    func(Preamble) error // what else to ask of the channel, unless nil
}

const (
	capacityDefault = 1 << 20

	// CapacityLeast and CapacityMost limit the capacity of a ring.
	CapacityLeast = PageSize
	CapacityMost  = 1 << 32

	placesMost = 128 // bits of ring.Sleepers
)

// RoundCapacity returns the power of two for a capacity that was asked for, where 0
// is the default.
func RoundCapacity(n int64) (int64, error) {
	if n == 0 {
		n = capacityDefault
	}
	if n < 0 || n > CapacityMost {
		return 0, object.Explain(fs.ErrInvalid, fmt.Sprintf("capacity %d: it must be from 0 to 4 GiB", n))
	}
	return max(CapacityLeast, int64(1)<<bits.Len64(uint64(n-1))), nil
}

// Make creates a channel, or opens it, and takes a place in it. The errors are those
// of filemap.Create and filemap.Open, [ErrCrowded], what Check returns, and
//   - object.ErrInvalidName if a channel can't have the name,
//   - object.ErrWrongKind if the name is something else's,
//   - object.ErrVersion if it is a channel of another version,
//   - object.ErrCorrupt if its memory does not say what a channel's does.
func Make(s Spec, way Way) (seg *Segment, created bool, err error) {
	seg = &Segment{kind: s.Kind, Security: s.Security}
	seg.Peers.segment = seg
	name, err := object.ParseName(s.Name)
	switch {
	case err != nil:
		return nil, false, err
	case name.IsZero() || name.Scope == object.POSIX:
		return nil, false, object.Explain(object.ErrInvalidName, "a channel needs a name, which must not be a POSIX name")
	}
	seg.Name = name.String()
	created, err = seg.makeMapping(s, way)
	if err == nil {
		err = seg.join()
	}
	if err != nil {
		if seg.View != nil {
			_ = seg.View.Close()
		}
		_ = seg.closeParts()
		return nil, false, err
	}
	seg.parts = append(seg.parts, &seg.Peers)
	return seg, created, nil
}

// Way is how a caller gets a channel.
type Way int

// The ways.
const (
	Create Way = iota
	Open
	OpenOrCreate
)

// makeMapping creates or opens the mapping. It is a channel before another process
// can open it, so openers need no lock that a process could keep.
func (s *Segment) makeMapping(spec Spec, way Way) (created bool, err error) {
	p := spec.preamble()
	size := p.extraAt() + spec.Kind.extra()
	opts := &filemap.CreateOptions{Security: spec.Security, Init: func(v *filemap.View) error {
		return filemap.Store(v, preambleAt, p)
	}}
	switch way {
	case Create:
		s.mapping, err = filemap.Create(s.Name, size, opts)
		created = err == nil
	case Open:
		s.mapping, err = filemap.Open(s.Name, nil)
	default:
		s.mapping, created, err = filemap.OpenOrCreate(s.Name, size, opts)
	}
	if err != nil {
		return false, err
	}
	s.parts = append(s.parts, s.mapping)
	switch {
	case s.mapping.Size() < placesAt:
		return false, s.wrong("a mapping")
	case spec.Kind == Session && s.mapping.Size() != size:
		return false, object.ErrCorrupt // a stranger's, and it may be huge
	}
	if s.View, err = s.mapping.View(0, 0); err != nil {
		return false, err
	}
	if err := s.check(); err != nil || spec.Check == nil {
		return created, err
	}
	return created, spec.Check(s.Shape)
}

// preamble returns what a new channel begins with.
func (s Spec) preamble() Preamble {
	p := Preamble{
		magic: magic, version: version, Kind: s.Kind,
		Capacity: uint64(s.Capacity), places: s.Kind.places(), Option: s.Option,
		ID: rand.Uint64(), Hands: s.Hands,
		Type: s.Type,
	}
	if s.Security != nil {
		p.group, p.everybody = s.Security.Group, s.Security.Everybody
	}
	return p
}

// check returns an error unless the mapping is a channel of the kind that is
// wanted, which fits into it.
func (s *Segment) check() (err error) {
	if s.Shape, err = loadPreamble(s.View); err != nil {
		return err
	}
	switch p := s.Shape; {
	case p.Kind != s.kind:
		return s.wrong("a " + p.Kind.String())
	case p.extraAt()+p.Kind.extra() > int64(s.View.Len()):
		return object.ErrCorrupt
	}
	if s.Shape.group != object.ShareNone || s.Shape.everybody != object.ShareNone {
		s.Security = &object.Security{Group: s.Shape.group, Everybody: s.Shape.everybody}
	}
	return nil
}

func (s *Segment) wrong(what string) error {
	return object.Explain(object.ErrWrongKind, fmt.Sprintf("the name is %s, not a %s", what, s.kind))
}

// Ring returns the segment's ring.
func (s *Segment) Ring() (ring.Ring, error) {
	w, err := filemap.At[ring.Words](s.View, WordsAt)
	if err != nil {
		return ring.Ring{}, err
	}
	table, err := filemap.SliceAt[ring.Hand](s.View, s.Shape.handsAt(), int(s.Shape.Hands))
	if err != nil {
		return ring.Ring{}, err
	}
	return RingAt(s.View, s.Shape.ringsAt(), int(s.Shape.Capacity), w, table)
}

// RingAt returns the ring that has these words, and so many bytes of a view.
func RingAt(v *filemap.View, at int64, size int, w *ring.Words, table []ring.Hand) (ring.Ring, error) {
	data, err := filemap.SliceAt[byte](v, at, size)
	if err != nil {
		return ring.Ring{}, err
	}
	headers, err := filemap.SliceAt[uint64](v, at, size/8)
	return ring.New(w, data, headers, table), err
}

// Extra returns where the bytes are that a view of a channel has after its rings, and an
// error unless it is a channel.
func Extra(v *filemap.View) (at int64, err error) {
	p, err := loadPreamble(v)
	return p.extraAt(), err
}

// Event returns an event whose name is the segment's with a suffix. The segment closes
// it.
func (s *Segment) Event(suffix string) (*waitable.Event, error) {
	event, _, err := waitable.OpenOrCreateEvent(s.Name+suffix, &waitable.EventOptions{Security: s.Security})
	if err == nil {
		s.Attach(event)
	}
	return event, err
}

// Attach has Close close a part of the channel.
func (s *Segment) Attach(part interface{ Close() error }) { s.parts = append(s.parts, part) }

// Leases returns the words of the leases of a register.
func (s *Segment) Leases(n int) ([]uint64, error) {
	return filemap.SliceAt[uint64](s.View, leasesAt, n)
}

// Bell returns the bell whose event has the segment's name with a suffix. It rings for
// the places in who, and counts in slept how often one of this handle sleeps.
func (s *Segment) Bell(suffix string, who *ring.Sleepers, slept *uint64) (*Bell, error) {
	event, err := s.Event(suffix)
	if err != nil {
		return nil, err
	}
	return newBell(event, s, who, slept), nil
}

// Close gives up all that belongs to the segment. Waits end.
func (s *Segment) Close() error {
	return errors.Join(s.leave(), s.closeParts())
}

func (s *Segment) closeParts() (err error) {
	for i := len(s.parts) - 1; i >= 0; i-- {
		err = errors.Join(err, s.parts[i].Close())
	}
	return err
}
