package layout

// Permits is what a ledger says that a holder has of a tracked semaphore:
//
//	 63              32 31               0
//	+------------------+------------------+
//	| change           | held             |
//	+------------------+------------------+
//
// The change is 0, or how many more permits (fewer, if negative) the holder
// will have had when the claim that it has on the semaphore ends; held counts
// them already.
type Permits uint64

// NewPermits returns an entry.
func NewPermits(held uint32, change int32) Permits {
	return Permits(uint32(change))<<32 | Permits(held)
}

// Held returns the permits held after the change, if there is one.
func (p Permits) Held() uint32 { return uint32(p) }

// Change returns the change under way.
func (p Permits) Change() int32 { return int32(uint32(p >> 32)) }

// Undone returns the entry without its change.
func (p Permits) Undone() Permits { return NewPermits(p.Held()-uint32(p.Change()), 0) }
