package channel

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

// segment is a channel's memory and the objects that belong to it, as one
// process has them open. All of them are named after the channel:
//
//	NAME        the mapping
//	NAME~data   an event: wakes what waits for messages
//	NAME~room   an event: wakes what waits for room
//	NAME~1 ...  a mutex for each place, held by the handle that has the place
type segment struct {
	name     string
	security *Security
	kind     kind

	mapping *filemap.Mapping
	view    *filemap.View
	shape   preamble // a copy: others may write to the original
	member  member
	peers   peers
	parts   []interface{ Close() error } // what else Close closes
	closed  atomic.Bool
}

// Security says which users besides its creator may use a channel: see
// [object.Security].
type Security = object.Security

// spec is what a new channel is to be.
type spec struct {
	name     string
	kind     kind
	capacity int64
	exact    bool  // an existing channel must have that capacity, or number of leases: see expect
	rings    int64 // how many of that capacity
	places   uint32
	option   uint64
	hands    uint32 // how many messages can be in hand: queues
	security *Security
	messages *Type // nil if they have none, or any
}

const (
	capacityDefault = 1 << 20
	capacityLeast   = pageSize
	capacityMost    = 1 << 32

	// placesDefault fill what is left of the first pages.
	placesDefault = (4*pageSize - placesAt) / ring.Line
	placesMost    = 128 // bits of sleepers
)

// roundCapacity returns the power of two for a capacity that was asked for, where 0
// is the default.
func roundCapacity(n int64) (int64, error) {
	if n == 0 {
		n = capacityDefault
	}
	if n < 0 || n > capacityMost {
		return 0, object.Explain(fs.ErrInvalid, fmt.Sprintf("capacity %d: it must be from 0 to 4 GiB", n))
	}
	return max(capacityLeast, int64(1)<<bits.Len64(uint64(n-1))), nil
}

// makeSegment creates the channel, or opens it, as wanted.
func makeSegment(s spec, way way) (seg *segment, created bool, err error) {
	seg = &segment{kind: s.kind, security: s.security}
	seg.peers.segment = seg
	name, err := object.ParseName(s.name)
	if err == nil {
		err = s.messages.usable()
	}
	switch {
	case err != nil:
		return nil, false, err
	case name.IsZero() || name.Scope == object.POSIX:
		return nil, false, object.Explain(object.ErrInvalidName, "a channel needs a name, which must not be a POSIX name")
	}
	seg.name = name.String()
	created, err = seg.makeMapping(s, way)
	if err == nil && !created && way == openOrCreate {
		err = seg.expect(s)
	}
	if err == nil {
		err = seg.join()
	}
	if err != nil {
		if seg.view != nil {
			_ = seg.view.Close()
		}
		_ = seg.closeParts()
		return nil, false, err
	}
	seg.parts = append(seg.parts, &seg.peers)
	return seg, created, nil
}

// way is how a channel is to be got.
type way int

const (
	create way = iota
	open
	openOrCreate
)

// makeMapping creates or opens the mapping. It is a channel before another process
// can open it, so openers need no lock that a process could keep.
func (s *segment) makeMapping(spec spec, way way) (created bool, err error) {
	p := spec.preamble()
	size := p.ringsAt() + spec.rings*spec.capacity
	opts := &filemap.CreateOptions{Security: spec.security, Sparse: spec.kind == connKind, Init: func(v *filemap.View) error {
		return filemap.Store(v, preambleAt, p)
	}}
	switch way {
	case create:
		s.mapping, err = filemap.Create(s.name, size, opts)
		created = err == nil
	case open:
		s.mapping, err = filemap.Open(s.name, nil)
	default:
		s.mapping, created, err = filemap.OpenOrCreate(s.name, size, opts)
	}
	if err != nil {
		return false, err
	}
	s.parts = append(s.parts, s.mapping)
	switch {
	case s.mapping.Size() < placesAt:
		return false, s.wrong("a mapping")
	case spec.kind == connKind && s.mapping.Size() != size:
		return false, object.ErrCorrupt // a stranger's, and it may be huge
	}
	if s.view, err = s.mapping.View(0, 0); err != nil {
		return false, err
	}
	if err := s.check(spec.rings); err != nil {
		return created, err
	}
	return created, spec.messages.matches(s.shape.typeWords)
}

// preamble returns what a new channel begins with.
func (s spec) preamble() preamble {
	p := preamble{
		magic: magic, version: version, kind: s.kind,
		capacity: uint64(s.capacity), places: s.places, option: s.option,
		id: rand.Uint64(), hands: s.hands,
		typeWords: s.messages.words(),
	}
	if s.security != nil {
		p.group, p.everybody = s.security.Group, s.security.Everybody
	}
	return p
}

// check returns an error unless the mapping is a channel of the kind that is
// wanted, which fits into it.
func (s *segment) check(rings int64) (err error) {
	if s.shape, err = filemap.Load[preamble](s.view, preambleAt); err != nil {
		return err
	}
	if err := s.shape.check(); err != nil {
		return err
	}
	switch p := s.shape; {
	case p.kind != s.kind:
		return s.wrong("a " + p.kind.String())
	case p.ringsAt()+rings*int64(p.capacity) > int64(s.view.Len()):
		return object.ErrCorrupt
	}
	if s.shape.group != object.ShareNone || s.shape.everybody != object.ShareNone {
		s.security = &Security{Group: s.shape.group, Everybody: s.shape.everybody}
	}
	return nil
}

// expect returns an object.ErrExist if the channel was there before, and is not like
// the one that was asked for.
func (s *segment) expect(spec spec) error {
	p := s.shape
	switch {
	case p.kind == latestKind && uint32(p.option) != uint32(spec.option):
		return p.differs("a size of %d bytes", uint32(p.option), uint32(spec.option))
	case p.kind == latestKind && spec.exact && p.option != spec.option:
		return p.differs("%d leases", p.option>>32, spec.option>>32)
	case p.kind != latestKind && spec.exact && p.capacity != uint64(spec.capacity):
		return p.differs("a capacity of %d bytes", p.capacity, spec.capacity)
	case p.kind == topicKind && spec.option != 0 && p.option != spec.option:
		return p.differs("the Overflow %v", Block, Overwrite)
	}
	return nil
}

func (p preamble) differs(format string, has, asked any) error {
	return object.Explain(object.ErrExist, fmt.Sprintf(
		"the %v exists with "+format+", and was asked for with "+format, p.kind, has, asked))
}

// check returns an error unless the preamble is that of a channel.
func (p preamble) check() error {
	switch {
	case p.magic != magic:
		return errNoChannel
	case p.version != version:
		return object.ErrVersion
	case p.capacity < capacityLeast || p.capacity > capacityMost || p.capacity%pageSize != 0,
		p.capacity&(p.capacity-1) != 0 && p.kind != latestKind, // which has no ring
		p.places == 0 || p.places > placesMost, p.hands > ring.HandsMost,
		p.group > object.ShareAll || p.everybody > object.ShareAll:
		return object.ErrCorrupt
	}
	return nil
}

var errNoChannel = object.Explain(object.ErrWrongKind, "the name is a mapping that is not a channel")

func (s *segment) wrong(what string) error {
	return object.Explain(object.ErrWrongKind, fmt.Sprintf("the name is %s, not a %s", what, s.kind))
}

// ring returns one of the segment's rings.
func (s *segment) ring(i int64) (ring.Ring, error) {
	size := int64(s.shape.capacity)
	at := s.shape.ringsAt() + i*size
	w, err := filemap.At[ring.Words](s.view, wordsAt+i*3*ring.Line)
	if err != nil {
		return ring.Ring{}, err
	}
	data, err := filemap.SliceAt[byte](s.view, at, int(size))
	if err != nil {
		return ring.Ring{}, err
	}
	headers, err := filemap.SliceAt[uint64](s.view, at, int(size/8))
	if err != nil {
		return ring.Ring{}, err
	}
	table, err := filemap.SliceAt[ring.Hand](s.view, s.shape.handsAt(), int(s.shape.hands))
	return ring.New(w, data, headers, table), err
}

// bell returns the bell of a name, with the word of its sleepers.
func (s *segment) bell(suffix string, who *ring.Sleepers, slept *uint64) (*bell, error) {
	event, _, err := waitable.OpenOrCreateEvent(s.name+suffix, &waitable.EventOptions{Security: s.security})
	if err != nil {
		return nil, err
	}
	s.parts = append(s.parts, event)
	return newBell(event, s, who, slept), nil
}

// close gives up all that belongs to the segment. Waits end.
func (s *segment) close() error {
	return errors.Join(s.leave(), s.closeParts())
}

func (s *segment) closeParts() (err error) {
	for i := len(s.parts) - 1; i >= 0; i-- {
		err = errors.Join(err, s.parts[i].Close())
	}
	return err
}
