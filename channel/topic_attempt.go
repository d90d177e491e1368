package channel

// outcome is what an attempt to publish, or to take a message, came to.
type outcome uint8

const (
	done  outcome = iota
	empty         // there is no message
	taken         // somebody else has the end

	full = empty // there is no room
)

// attempt is an outcome, and whose place is in the way if somebody is.
type attempt struct {
	outcome
	owner uint16
}
