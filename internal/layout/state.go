package layout

// The state of a synchronization object is one 64-bit word, so that each step
// of each operation is one compare-and-swap, and a process that dies leaves a
// state that means something:
//
//	 63                            32 31 30                            0
//	+--------------------------------+--+-------------------------------+
//	| token                          |W | by kind                       |
//	+--------------------------------+--+-------------------------------+
//	  mutex                             |D|A| owner (29 bits)           |
//	  semaphore                         | count                         |
//	  event                             | pulses (29 bits)          |P|S|
//	  timer                             | changes (30 bits)           |E|
//
// The low half is the futex(2) that processes sleep on. W says that some may:
// who makes a change that lets others go on takes W away and wakes them all.
//
// The token is 0, or that of the handle that owns the mutex, or of one that
// has claimed the object for a moment: to take it together with others, or to
// change more than this word. The handle of token t, while it is open, holds
// an exclusive lock on the byte TokenByte+t of the file, which is how others
// tell whether it lives.
type State uint64

// Bits of the low half.
const (
	StateWaiters = 1 << 31 // W

	MutexDied      = 1 << 30 // D: the system saw the owner's thread die
	MutexAbandoned = 1 << 29 // A: free, but the last owner died
	MutexOwner     = 1<<29 - 1

	SemaphoreCount = 1<<31 - 1

	EventSignaled = 1 << 0 // S
	EventPulsed   = 1 << 1 // P: the last pulse has woken nobody yet
	EventPulse    = 1 << 2 // added by each pulse
	EventPulses   = StateWaiters - EventPulse

	TimerExpired = 1 << 0 // E: signaled, whatever the due time says
	TimerChange  = 1 << 1 // added by each change of the due time
	TimerChanges = StateWaiters - TimerChange
)

// OwnerUnknown stands for the owner of a mutex whose number the system has
// overwritten although the owner lives.
const OwnerUnknown = MutexOwner

// NewState returns the state of a token and a low half.
func NewState(token, low uint32) State { return State(token)<<32 | State(low) }

// Token returns the token, or 0.
func (s State) Token() uint32 { return uint32(s >> 32) }

// Low returns the futex.
func (s State) Low() uint32 { return uint32(s) }

// Has reports whether a bit of the low half is set.
func (s State) Has(bit uint32) bool { return s.Low()&bit != 0 }

// With returns the state with bits of the low half set.
func (s State) With(bits uint32) State { return s | State(bits) }

// Without returns the state with bits of the low half cleared.
func (s State) Without(bits uint32) State { return s &^ State(bits) }

// WithToken returns the state with another token.
func (s State) WithToken(token uint32) State { return NewState(token, s.Low()) }

// Bump returns the state with a counter in the low half one further, around
// its end: one is the counter's unit and field its bits.
func (s State) Bump(one, field uint32) State {
	return s.Without(field).With((s.Low()&field + one) & field)
}
