package ring

// Line is how far apart words are that different processes write: two cache
// lines, because processors fetch them in pairs.
const Line = 128

// Words are what both ends of a ring share. Each end has a line of its own.
type Words struct {
	Send    sendWords
	Receive receiveWords
	Bells   bellWords
}

// lines are the words as one process has them: a pointer for each line. With one
// for all, Go would look whether it is nil by a load of the first line whenever
// it uses another, and so take that from the process that writes it.
type lines struct {
	Send    *sendWords
	Receive *receiveWords
	Bells   *bellWords
}

func (w *Words) lines() lines { return lines{&w.Send, &w.Receive, &w.Bells} }

// sendWords are written by the owner of the sending end.
type sendWords struct {
	End      uint64 // position and owner: see End
	seen     uint64 // the receiving end's position when last looked at
	Messages uint64 // sent, and their bytes
	Bytes    uint64
	Lost     uint64 // dropped because the ring was full
	Waits    uint64 // for room, asleep
	newest   uint64 // the newest value of a Latest: see Newest
	Oldest   uint64 // the queue of a Listener: its id
	Limit    uint64 // the same: the capacity of its connections
	Free     uint64 // the same: how many connections it can take before one is accepted
	Awaited  uint64 // the same: 1 if a dialer waits until that is more
	_        [Line - 11*8]byte
}

// receiveWords are written by the owner of the receiving end.
type receiveWords struct {
	End      uint64 // position and owner: see End
	Messages uint64 // received, and their bytes
	Bytes    uint64
	Waits    uint64 // for a message, asleep
	Hints    uint64 // queues: counts messages that were given back

	// Topics: the publisher writes these, but seldom, and the subscribers read
	// them often, so they are not on its line.
	oldest uint64 // where the oldest message is
	limit  uint64 // up to where bytes may be being overwritten
	places uint64 // how many places, from the first on, may be subscribers'
	_      [Line - 8*8]byte
}

// bellWords say which places sleep, or are about to: a bit for each, that of
// number 1 being the first. They change rarely, and both sides look at them for
// each message; so what else is like that has its place here.
type bellWords struct {
	Data          Sleepers // that wait for a message
	Room          Sleepers // that wait for room
	SendClosed    uint64   // conns: finished or discarded when nothing more will be sent
	ReceiveClosed uint64   // conns: 1 when nothing more will be received
	Takers        Sleepers // queues: the places that take messages in hand
	Hands         uint64   // queues: how many entries, from the first on, were ever used
	_             [Line - 3*16 - 3*8]byte
}

// Place is what the processes share about a handle that has the channel open.
type Place struct {
	Process  uint64 // its number, for people; 0 is free
	position uint64 // topics: what the subscriber reads next; 1 more: a publisher waits
	State    uint64 // topics: 1 for a subscriber; sessions: of the dialer, whether it was accepted
	Received uint64 // topics: messages read, and lost because they were overwritten
	Lost     uint64
	Number   uint64 // topics: that of the message which the subscriber reads next
	_        [Line - 6*8]byte
}
