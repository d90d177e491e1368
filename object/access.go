package object

// Access says what may be done with a mapping's bytes. It is asked for when a
// mapping is created or opened and when a view is mapped; a view never gets
// more than its mapping has.
type Access uint8

const (
	// ReadWrite reads and writes the shared bytes. It is the zero Access.
	ReadWrite Access = iota
	// ReadOnly reads the shared bytes.
	ReadOnly
	// CopyOnWrite reads the shared bytes; a page that is written becomes
	// private to the view, and nobody else sees what it holds from then on.
	CopyOnWrite
)

var accessNames = [...]string{"read-write", "read-only", "copy-on-write"}

// String returns "read-write", "read-only" or "copy-on-write".
func (a Access) String() string {
	if !a.Known() {
		return "unknown access"
	}
	return accessNames[a]
}

// Known reports whether a is one of the accesses above.
func (a Access) Known() bool { return a <= CopyOnWrite }

// Permits reports whether something opened with access a may be mapped with
// the access view. Copying on write needs no more than reading.
func (a Access) Permits(view Access) bool { return a == ReadWrite || view != ReadWrite }
