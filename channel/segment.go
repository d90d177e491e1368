package channel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"os"
	"sync/atomic"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// segment is a channel's memory and the objects that belong to it, as one
// process has them open. All of them are named after the channel:
//
//	NAME        the mapping
//	NAME~setup  a mutex, held by who creates or opens the channel meanwhile
//	NAME~data   an event: rings for who waits for messages
//	NAME~room   an event: rings for who waits for room
//	NAME~1 ...  a mutex for each place, held by who has the place
type segment struct {
	name     string
	security *Security
	kind     kind

	mapping *filemap.Mapping
	view    *filemap.View
	setup   *waitable.Mutex
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
	rings    int64 // how many of that capacity
	places   uint32
	option   uint64
	security *Security
}

const (
	capacityDefault = 1 << 20
	capacityLeast   = pageSize
	capacityMost    = 1 << 32

	// placesDefault fill what is left of the first pages.
	placesDefault = (4*pageSize - placesAt) / line
	placesMost    = 128 // bits of sleepers

	// setupPatience is how long others may take to create or open the channel:
	// they need a millisecond, unless somebody stopped them.
	setupPatience = 10 * time.Second
)

// roundCapacity returns the power of two for a capacity that was asked for.
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
	switch {
	case err != nil:
		return nil, false, err
	case name.IsZero() || name.Scope == object.POSIX:
		return nil, false, object.Explain(object.ErrInvalidName, "a channel needs a name, which must not be a POSIX name")
	}
	seg.name = name.String()
	hold, err := seg.lockSetup()
	if err != nil {
		return nil, false, err
	}
	defer hold.Unlock()
	created, err = seg.makeMapping(s, way)
	passes := errors.Is(err, fs.ErrNotExist) || errors.Is(err, os.ErrDeadlineExceeded)
	if err != nil && !passes && seg.outwait(hold.Abandoned()) {
		created, err = seg.makeMapping(s, way)
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

// lockSetup has others wait who are about to create or open the channel.
func (s *segment) lockSetup() (hold waitable.Hold, err error) {
	s.setup, _, err = waitable.OpenOrCreateMutex(s.name+"~setup", &waitable.MutexOptions{Security: s.security})
	if err != nil {
		return hold, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), setupPatience)
	defer cancel()
	if hold, err = s.setup.Lock(ctx); err != nil {
		_ = s.setup.Close()
		return hold, err
	}
	s.parts = append(s.parts, s.setup)
	return hold, nil
}

// outwait waits until the mapping that is no channel is gone, and reports
// whether it is: its creator may have died before it was one, and others can
// have the creator's lock before the system has closed its mapping. After a
// death for certain it waits for longer.
func (s *segment) outwait(died bool) (gone bool) {
	s.dropMapping()
	patience := 100 * time.Millisecond
	if died {
		patience = setupPatience
	}
	for began := time.Now(); time.Since(began) < patience; time.Sleep(time.Millisecond) {
		p, err := loadPreamble(s.name)
		if err != nil || p.check() == nil {
			return errors.Is(err, fs.ErrNotExist)
		}
	}
	return false
}

// dropMapping closes the mapping, which would else live on.
func (s *segment) dropMapping() {
	if s.view != nil {
		_ = s.view.Close()
		s.view = nil
	}
	if s.mapping != nil {
		_ = s.mapping.Close()
		s.mapping = nil
		s.parts = s.parts[:len(s.parts)-1]
	}
}

// loadPreamble returns what a mapping begins with.
func loadPreamble(name string) (p preamble, err error) {
	m, err := filemap.Open(name, &filemap.OpenOptions{Access: filemap.ReadOnly})
	if err != nil {
		return p, err
	}
	defer m.Close()
	v, err := m.View(0, 0)
	if err != nil {
		return p, err
	}
	defer v.Close()
	return filemap.Load[preamble](v, preambleAt)
}

func (s *segment) makeMapping(spec spec, way way) (created bool, err error) {
	size := preamble{places: spec.places}.ringsAt() + spec.rings*spec.capacity
	opts := &filemap.CreateOptions{Security: spec.security}
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
	if err := s.mapView(); err != nil {
		return false, err
	}
	if created {
		err = s.initialize(spec)
	} else {
		err = s.check(spec.rings)
	}
	return created, err
}

func (s *segment) mapView() (err error) {
	if s.mapping.Size() < placesAt {
		return s.wrong("a mapping")
	}
	if s.view, err = s.mapping.View(0, 0); err != nil {
		return err
	}
	return nil
}

// initialize makes zeros a channel.
func (s *segment) initialize(spec spec) error {
	s.shape = preamble{
		magic: magic, version: version, kind: spec.kind,
		capacity: uint64(spec.capacity), places: spec.places, option: spec.option,
	}
	if spec.security != nil {
		s.shape.group, s.shape.everybody = spec.security.Group, spec.security.Everybody
	}
	return filemap.Store(s.view, preambleAt, s.shape)
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

// check returns an error unless the preamble is that of a channel.
func (p preamble) check() error {
	switch {
	case p.magic != magic:
		return errNoChannel
	case p.version != version:
		return object.ErrVersion
	case p.capacity < capacityLeast || p.capacity > capacityMost || p.capacity&(p.capacity-1) != 0,
		p.places == 0 || p.places > placesMost,
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
func (s *segment) ring(i int64) (ring, error) {
	size := int64(s.shape.capacity)
	at := s.shape.ringsAt() + i*size
	w, err := filemap.At[words](s.view, wordsAt+i*3*line)
	if err != nil {
		return ring{}, err
	}
	data, err := filemap.SliceAt[byte](s.view, at, int(size))
	if err != nil {
		return ring{}, err
	}
	headers, err := filemap.SliceAt[uint64](s.view, at, int(size/8))
	return newRing(w, data, headers), err
}

// bell returns the bell of a name, and who sleeps.
func (s *segment) bell(suffix string, who *sleepers, slept *uint64) (*bell, error) {
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
