package channel

import "github.com/filemap-go/filemap/object"

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

	// line is how far apart words are that different processes write: two
	// cache lines, because processors fetch them in pairs.
	line = 128
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

// words are what both ends of a ring share. Each end has a line of its own.
type words struct {
	send    sendWords
	receive receiveWords
	bells   bellWords
}

// lines are the words as one process has them: a pointer for each line. With one
// for all, Go would look whether it is nil by a load of the first line whenever
// it uses another, and so take that from the process that writes it.
type lines struct {
	send    *sendWords
	receive *receiveWords
	bells   *bellWords
}

func (w *words) lines() lines { return lines{&w.send, &w.receive, &w.bells} }

// sendWords are written by the owner of the sending end.
type sendWords struct {
	end      uint64 // position and owner: see end
	seen     uint64 // the receiving end's position when last looked at
	messages uint64 // sent, and their bytes
	bytes    uint64
	lost     uint64 // dropped because the ring was full
	waits    uint64 // for room, asleep
	newest   uint64 // the newest value of a Latest: see newest
	oldest   uint64 // the queue of a Listener: its id
	limit    uint64 // the same: the capacity of its connections
	_        [line - 9*8]byte
}

// receiveWords are written by the owner of the receiving end.
type receiveWords struct {
	end      uint64 // position and owner: see end
	messages uint64 // received, and their bytes
	bytes    uint64
	waits    uint64 // for a message, asleep
	hints    uint64 // queues: counts messages that were given back

	// Topics: the publisher writes these, but seldom, and the subscribers read
	// them often, so they are not on its line.
	oldest uint64 // where the oldest message is
	limit  uint64 // up to where bytes may be being overwritten
	places uint64 // how many places, from the first on, may be subscribers'
	_      [line - 8*8]byte
}

// bellWords say which places sleep, or are about to: a bit for each, that of
// number 1 being the first. They change rarely, and both sides look at them for
// each message; so what else is like that has its place here.
type bellWords struct {
	data          sleepers // who wait for a message
	room          sleepers // who wait for room
	sendClosed    uint64   // conns: finished or discarded when nothing more will be sent
	receiveClosed uint64   // conns: 1 when nothing more will be received
	takers        sleepers // queues: the places that take messages in hand
	hands         uint64   // queues: how many entries, from the first on, were ever used
	_             [line - 3*16 - 3*8]byte
}

type sleepers [2]uint64

// place is what the processes share about one that has the channel open.
type place struct {
	process  uint64 // its number, for people; 0 is free
	position uint64 // topics: what the subscriber reads next; 1 more: a publisher waits
	state    uint64 // topics: 1 for a subscriber; conns: of the dialer, whether it was accepted
	received uint64 // topics: messages read, and lost because they were overwritten
	lost     uint64
	number   uint64 // topics: that of the message which the subscriber reads next
	_        [line - 6*8]byte
}

// handsAt returns where the table of what is in hand is.
func (p preamble) handsAt() int64 { return placesAt + int64(p.places)*line }

// ringsAt returns where a channel's rings begin.
func (p preamble) ringsAt() int64 {
	end := p.handsAt() + int64(p.hands)*handSize
	return (end + pageSize - 1) / pageSize * pageSize
}
