package segment

import (
	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/object"
)

// What the processes share. docs/channel-format.md is the contract; the structs
// here follow it. Every word is little-endian, and at a multiple of its size.
//
//	   0  +----------------------------------------------------+
//	      | preamble: what the mapping is                      |
//	 128  +----------------------------------------------------+
//	      | words of the ring: 384 bytes                       |
//	 512  +----------------------------------------------------+
//	      | leases of a Latest                                 |
//	1024  +----------------------------------------------------+
//	      | places: 128 bytes for each handle                  |
//	      +----------------------------------------------------+
//	      | hands of a queue: 16 bytes each                    |
//	      +----------------------------------------------------+
//	      | rings, from a multiple of 4096 on                  |
//	      +----------------------------------------------------+
//	      | what a Listener or a session has besides           |
//	      +----------------------------------------------------+
const (
	magic   = 0x637061_6d656c6966 // "filemapc"
	version = 2

	preambleAt = 0
	leasesAt   = 512 // of a Latest
	placesAt   = 1024
	wordsSize  = 3 * ring.Line // of one ring

	// WordsAt is where the words of the channel's kind begin: of its ring, or of a
	// session.
	WordsAt = 128

	// PageSize is what the size of a ring is a multiple of.
	PageSize = 4096
)

// Kind is what a mapping is used for.
type Kind uint32

// The kinds.
const (
	Queue Kind = iota + 1
	Topic
	Latest
	_        // was a connection of its own
	Listener // a queue of requests for sessions
	Session  // of connections
)

func (k Kind) String() string {
	names := [...]string{
		Queue: "queue", Topic: "topic", Latest: "latest", Listener: "listener", Session: "session",
	}
	if int(k) >= len(names) || names[k] == "" {
		return "channel"
	}
	return names[k]
}

// rings returns how many rings a channel has.
func (k Kind) rings() int64 {
	if k == Session {
		return 0 // its streams have them
	}
	return 1
}

// extra returns how many bytes a channel has after its rings.
func (k Kind) extra() int64 {
	switch k {
	case Listener:
		return PageSize
	case Session:
		return SessionExtra
	}
	return 0
}

// SessionExtra is how many bytes a session has after its first page.
const SessionExtra = 4 * PageSize

// places returns how many places a new channel has: two sides, or as many as fill the
// first four pages.
func (k Kind) places() uint32 {
	if k == Session {
		return 2
	}
	return (4*PageSize - placesAt) / ring.Line
}

// Preamble says what a mapping is. It is written once, before the name can be
// opened.
type Preamble struct {
	magic     uint64
	version   uint32
	Kind      Kind
	Capacity  uint64 // bytes of a ring
	places    uint32 // how many may have it open
	group     object.Share
	everybody object.Share
	_         [2]byte
	Option    uint64 // the kind's own
	ID        uint64 // queues: a random number, which identifies the messages with their positions
	Hands     uint32 // queues: how many messages can be in hand
	_         [4]byte
	Type
}

// handsAt returns where the table of what is in hand is.
func (p Preamble) handsAt() int64 { return placesAt + int64(p.places)*ring.Line }

// ringsAt returns where a channel's rings begin.
func (p Preamble) ringsAt() int64 {
	end := p.handsAt() + int64(p.Hands)*ring.HandSize
	return (end + PageSize - 1) / PageSize * PageSize
}

// extraAt returns where the bytes after the rings are.
func (p Preamble) extraAt() int64 { return p.ringsAt() + p.Kind.rings()*int64(p.Capacity) }

// NewOption returns the option of a register for values of a size, and so many leases.
func NewOption(size, leases int) uint64 { return uint64(leases)<<32 | uint64(size) }

// ValueSize returns the size of a register's values, and LeaseLimit how many leases it
// has.
func (p Preamble) ValueSize() int  { return int(uint32(p.Option)) }
func (p Preamble) LeaseLimit() int { return int(p.Option >> 32) }

// loadPreamble loads what a mapping is, and returns an error unless that is a channel.
func loadPreamble(v *filemap.View) (Preamble, error) {
	p, err := filemap.Load[Preamble](v, preambleAt)
	if err != nil {
		return p, err
	}
	return p, p.check()
}

// check returns an error unless the preamble is that of a channel.
func (p Preamble) check() error {
	switch {
	case p.magic != magic:
		return errNoChannel
	case p.version != version:
		return object.ErrVersion
	case p.Capacity < CapacityLeast || p.Capacity > CapacityMost || p.Capacity%PageSize != 0,
		p.Capacity&(p.Capacity-1) != 0 && p.Kind != Latest, // which has no ring
		p.places == 0 || p.places > placesMost, p.Hands > ring.HandsMost,
		p.group > object.ShareAll || p.everybody > object.ShareAll:
		return object.ErrCorrupt
	}
	return nil
}

var errNoChannel = object.Explain(object.ErrWrongKind, "the name is a mapping that is not a channel")
