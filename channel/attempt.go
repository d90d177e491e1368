package channel

// attempt is how a try to send or to receive went, in every kind of channel: one
// of the results, and the number of the place in the way if one is: of that which
// has the end, or of the slowest subscriber. It is one word because every message
// returns one. Corrupt memory and closed handles are errors instead; with an error,
// nothing is done.
type attempt uint32

const (
	empty attempt = iota // there is no message
	done                 // and there is no error
	taken                // another place has the end

	full = empty // there is no room
)

const resultBits = 16

// by returns the attempt with the place in the way.
func (a attempt) by(owner uint16) attempt { return a | attempt(owner)<<resultBits }

func (a attempt) result() attempt { return a & (1<<resultBits - 1) }

// owner returns the number of the place in the way: 0 if none is, or no longer.
func (a attempt) owner() uint16 { return uint16(a >> resultBits) }
