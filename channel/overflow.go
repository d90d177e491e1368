package channel

import (
	"fmt"
	"io/fs"

	"github.com/filemap-go/filemap/channel/internal/segment"
	"github.com/filemap-go/filemap/object"
)

// Overflow says what happens to a message for which a channel has no room.
type Overflow uint8

const (
	// Block: the call waits for room (back-pressure). In a topic, publishers wait
	// for the slowest subscriber, so no subscriber loses a message. It is the zero
	// Overflow.
	Block Overflow = iota
	// Fail: the call returns [ErrFull]. Only queues have it.
	Fail
	// Drop: the message is dropped, and counted. Only queues have it.
	Drop
	// Overwrite: the message overwrites the oldest ones, even those that a
	// subscriber has not received. [Subscription.Lost] returns how many it lost.
	// Only topics have it.
	Overwrite
)

func (o Overflow) String() string {
	names := [...]string{Block: "Block", Fail: "Fail", Drop: "Drop", Overwrite: "Overwrite"}
	if int(o) >= len(names) {
		return fmt.Sprintf("Overflow(%d)", uint8(o))
	}
	return names[o]
}

// unfit returns an fs.ErrInvalid for an Overflow that a kind of channel lacks.
func (o Overflow) unfit(k segment.Kind, choices string) error {
	return object.Explain(fs.ErrInvalid, fmt.Sprintf("Overflow is %v: that of a %v must be %s", o, k, choices))
}
