package object

// Access says what may be done with a mapping's bytes. A program asks for it
// when it creates or opens a mapping and when it maps a view; a view never gets
// more than its mapping has.
type Access uint8

const (
	// ReadWrite reads and writes the shared bytes. It is the zero Access.
	ReadWrite Access = iota
	// ReadOnly reads the shared bytes.
	ReadOnly
	// CopyOnWrite reads the shared bytes. A write makes the page private to the
	// view: from then on other views do not show its bytes, and it does not show
	// theirs.
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

// Permits reports whether a mapping that was opened with access a may be mapped
// with the access view. CopyOnWrite needs no more than ReadOnly.
func (a Access) Permits(view Access) bool { return a == ReadWrite || view != ReadWrite }
