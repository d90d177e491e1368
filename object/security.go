package object

// Security says who, besides the user that creates an object, may open it.
// The zero Security admits nobody else.
//
// # Linux notes
//
// Group is the group of the object's file (the creator's primary group), and
// the two fields are its permission bits. They change nothing for a Local object:
// its name is its user's alone, and so is its file. Objects for several users are
// Global ones. For a mapping backed by a file, they say who may open it; who may
// write it is up to the permissions of the backing file.
//
// # Windows notes
//
// Group is the creator's primary group and Everybody the World group, each
// given read or all access beside the owner's full access. A nil *Security
// leaves the system's default descriptor in force.
type Security struct {
	Group     Share
	Everybody Share

	// SDDL, on Windows, is the whole security descriptor in Microsoft's
	// Security Descriptor Definition Language, and takes the place of the two
	// fields above. It is an error elsewhere.
	SDDL string
}

// Share is what a class of other users may do with an object.
type Share uint8

const (
	// ShareNone keeps the class out. It is the zero Share.
	ShareNone Share = iota
	// ShareRead lets the class open the object for reading. Only mappings can
	// be shared so: every use of the other kinds writes.
	ShareRead
	// ShareAll lets the class use the object as its owner does.
	ShareAll
)
