package channel

import (
	"github.com/filemap-go/filemap/object"

	"github.com/filemap-go/filemap/channel/internal/ring"
)

// What the processes share. docs/channel-format.md is the contract; the structs
// here follow it. Every word is little-endian, and at a multiple of its size.
//
//	   0  +----------------------------------------------------+
//	      | preamble: what the mapping is                      |
//	 128  +----------------------------------------------------+
//	      | words of the ring: 384 bytes                       |
//	 512  +----------------------------------------------------+
//	      | words of the second ring of a Conn, leases of a    |
//	      | Latest                                             |
//	1024  +----------------------------------------------------+
//	      | places: 128 bytes for each handle                  |
//	      +----------------------------------------------------+
//	      | hands of a queue: 16 bytes each                    |
//	      +----------------------------------------------------+
//	      | rings, from a multiple of 4096 on                  |
//	      +----------------------------------------------------+
const (
	magic   = 0x637061_6d656c6966 // "filemapc"
	version = 2

	preambleAt = 0
	wordsAt    = 128
	leasesAt   = 512 // of a Latest
	placesAt   = 1024
	pageSize   = 4096
)

// kind is what a mapping is used for.
type kind uint32

const (
	queueKind kind = iota + 1
	topicKind
	latestKind
	connKind
	listenerKind // a queue of requests
)

func (k kind) String() string {
	names := [...]string{
		queueKind: "queue", topicKind: "topic", latestKind: "latest", connKind: "conn", listenerKind: "listener",
	}
	if k == 0 || int(k) >= len(names) {
		return "channel"
	}
	return names[k]
}

// preamble says what a mapping is. It is written once, before the name can be
// opened.
type preamble struct {
	magic     uint64
	version   uint32
	kind      kind
	capacity  uint64 // bytes of a ring
	places    uint32 // how many may have it open
	group     object.Share
	everybody object.Share
	_         [2]byte
	option    uint64 // the kind's own
	id        uint64 // queues: a random number, which identifies the messages with their positions
	hands     uint32 // queues: how many messages can be in hand
	_         [4]byte
	typeWords
}

// handsAt returns where the table of what is in hand is.
func (p preamble) handsAt() int64 { return placesAt + int64(p.places)*ring.Line }

// ringsAt returns where a channel's rings begin.
func (p preamble) ringsAt() int64 {
	end := p.handsAt() + int64(p.hands)*ring.HandSize
	return (end + pageSize - 1) / pageSize * pageSize
}
