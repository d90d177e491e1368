package ring

// Attempt is how a try to send or to receive went, in every kind of channel: one
// of the results, and the number of the place in the way if one is: of that which
// has the end, or of the slowest subscriber. It is one word because every message
// returns one. Corrupt memory and closed handles are errors instead; with an error,
// nothing is done.
type Attempt uint32

// The results.
const (
	Empty Attempt = iota // there is no message
	Done                 // and there is no error
	Taken                // another place has the end

	Full = Empty // there is no room
)

const resultBits = 16

// By returns the attempt with the place in the way.
func (a Attempt) By(owner uint16) Attempt { return a | Attempt(owner)<<resultBits }

// Result returns the attempt without the place in the way.
func (a Attempt) Result() Attempt { return a & (1<<resultBits - 1) }

// Owner returns the number of the place in the way: 0 if none is, or no longer.
func (a Attempt) Owner() uint16 { return uint16(a >> resultBits) }
