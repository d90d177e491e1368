package object

// Security says which users, besides the creator of an object, may open it.
// The zero Security admits no other user.
//
// # Linux notes
//
// Group is the group of the object's file (the creator's primary group), and
// the two fields are its permission bits. They change nothing for a Local object:
// its name, and so its file, belong to its user alone. Objects for several users
// are Global ones. For a mapping backed by a file, they say which users may open
// it; which users may write it, the permissions of the backing file say.
//
// # Windows notes
//
// Group is the creator's primary group and Everybody the World group. Each gets
// read access or full access besides the owner's full access. With a nil
// *Security the system's default descriptor applies.
type Security struct {
	Group     Share
	Everybody Share

	// SDDL, on Windows, is the whole security descriptor in Microsoft's
	// Security Descriptor Definition Language, and replaces the two fields
	// above. On other systems it is an error.
	SDDL string
}

// Share says what a class of other users may do with an object.
type Share uint8

const (
	// ShareNone does not admit the class. It is the zero Share.
	ShareNone Share = iota
	// ShareRead lets the class open the object for reading. It is for mappings
	// only: every use of the other kinds writes.
	ShareRead
	// ShareAll lets the class use the object as its owner does.
	ShareAll
)
