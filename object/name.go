package object

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Scope says which processes share a name.
type Scope uint8

const (
	// Local names are shared by the processes of one user (on Windows: of one
	// logon session). It is the zero Scope.
	Local Scope = iota
	// Global names are shared by all processes on the machine.
	Global
	// POSIX names are those of shm_open(3). On Linux they are shared with
	// programs that do not use filemap. Only mappings have such names.
	POSIX
)

const (
	localPrefix  = `Local\`
	globalPrefix = `Global\`

	// nameUnitsMax is the longest name Windows takes, in UTF-16 code units,
	// the prefix included.
	nameUnitsMax = 32766
)

// Name is a parsed object name. Unnamed objects have the zero Name.
type Name struct {
	Scope Scope
	Base  string // the part after the prefix; of a POSIX name, the part after the slash
}

// ParseName parses a name:
//
//	Local\X   X, shared by this user's processes
//	X         the same
//	Global\X  X, shared by all users' processes
//	/X        the shared-memory object X of shm_open(3); on Windows it is Local\/X
//
// The prefixes and X are case-sensitive. X is valid UTF-8 without a backslash or
// NUL; in a POSIX name it has no slash and is neither "." nor "..". The empty
// string is the zero Name.
//
// Returns an [ErrInvalidName] that names the rule if the name breaks one, or if
// it has more than 32,766 UTF-16 code units.
func ParseName(s string) (Name, error) {
	if s == "" {
		return Name{}, nil
	}
	name := Name{Base: s}
	if base, ok := strings.CutPrefix(s, localPrefix); ok {
		name = Name{Scope: Local, Base: base}
	} else if base, ok := strings.CutPrefix(s, globalPrefix); ok {
		name = Name{Scope: Global, Base: base}
	} else if base, ok := strings.CutPrefix(s, "/"); ok {
		name = Name{Scope: POSIX, Base: base}
	}
	if broken := name.brokenRule(s); broken != "" {
		return Name{}, Explain(ErrInvalidName, ErrInvalidName.Error()+": "+broken)
	}
	return name, nil
}

// brokenRule returns which rule the name, parsed from s, breaks, or "".
func (n Name) brokenRule(s string) string {
	switch prefix := strings.IndexByte(s, '\\') + 1; {
	case n.Base == "":
		return "nothing follows " + s
	case !utf8.ValidString(s):
		return "it is not valid UTF-8"
	case strings.Contains(s, "\x00"):
		return "it has a NUL"
	case prefix > 0 && n.Base == s:
		return s[:prefix] + " is not a prefix: " + localPrefix + " and " + globalPrefix + " are"
	case strings.Contains(n.Base, `\`):
		return "it has a backslash after its prefix"
	case n.Scope == POSIX && strings.Contains(n.Base, "/"):
		return "it has a second slash"
	case n.Scope == POSIX && (n.Base == "." || n.Base == ".."):
		return s + " is a directory"
	}
	if units := utf16Len(s); units > nameUnitsMax {
		return fmt.Sprintf("it has %d UTF-16 code units, more than %d", units, nameUnitsMax)
	}
	return ""
}

func utf16Len(s string) int {
	units := 0
	for _, r := range s {
		units++
		if r > 0xFFFF {
			units++
		}
	}
	return units
}

// IsZero reports whether n is the zero Name, that of unnamed objects.
func (n Name) IsZero() bool { return n == Name{} }

// String returns the name with its prefix: Local\X if X was parsed. The zero
// Name is "".
func (n Name) String() string {
	switch {
	case n.IsZero():
		return ""
	case n.Scope == Global:
		return globalPrefix + n.Base
	case n.Scope == POSIX:
		return "/" + n.Base
	}
	return localPrefix + n.Base
}
