package ring

// A ring holds records: a header of 8 bytes and a message, rounded up to a
// multiple of 8.
//
//	 63                              34 33  32 31                           0
//	+----------------------------------+------+------------------------------+
//	| stamp: the position / 8, low bits| kind | length of the message        |
//	+----------------------------------+------+------------------------------+
//
// The header is written last: that commits the record. Until then it is 0,
// because the header after a record is cleared before the record is committed.
type Header uint64

const (
	headerSize = 8

	messageRecord = 1 // a message follows
	paddingRecord = 2 // nothing follows up to the end of the ring

	lengthBits = 32
	kindBits   = 2
	stampBits  = 64 - lengthBits - kindBits
)

func newHeader(kind, position uint64, length int) Header {
	return Header(stamp(position)<<(lengthBits+kindBits) | kind<<lengthBits | uint64(length))
}

func stamp(position uint64) uint64 { return position / 8 & (1<<stampBits - 1) }

func (h Header) kind() uint64 { return uint64(h) >> lengthBits & (1<<kindBits - 1) }

// Length returns the length of the message.
func (h Header) Length() uint64  { return uint64(h) & (1<<lengthBits - 1) }
func (h Header) size() uint64    { return recordSize(h.Length()) }
func (h Header) isPadding() bool { return h.kind() == paddingRecord }

// fits reports whether the header can be that of a record at a position, which
// ends within the room up to the end of the ring.
func (h Header) fits(position, room uint64) bool {
	padding := uint64(h)>>lengthBits == stamp(position)<<kindBits|paddingRecord && h.size() <= room
	return padding || h.IsMessage(position, room)
}

// IsMessage reports whether the header is that of a message.
func (h Header) IsMessage(position, room uint64) bool {
	return uint64(h)>>lengthBits == stamp(position)<<kindBits|messageRecord && h.size() <= room
}

// recordSize returns the size of the record of a message.
func recordSize(length uint64) uint64 { return (length + headerSize + 7) &^ 7 }
