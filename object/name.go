package object

import (
	"strings"
	"unicode/utf8"
)

// Scope says who shares a name.
type Scope uint8

const (
	// Local names are shared by the processes of one user (on Windows: of one
	// logon session). It is the zero Scope.
	Local Scope = iota
	// Global names are shared by all processes on the machine.
	Global
	// POSIX names are those of shm_open(3), shared on Linux with programs that
	// know nothing of filemap. They name mappings only.
	POSIX
)

const (
	localPrefix  = `Local\`
	globalPrefix = `Global\`

	// nameUnitsMax is the longest name Windows takes, in UTF-16 code units,
	// the prefix included.
	nameUnitsMax = 32766
)

// Name is a parsed object name. The zero Name is that of unnamed objects.
type Name struct {
	Scope Scope
	Base  string // what follows the prefix; for POSIX names, what follows the slash
}

// ParseName parses a name as programs write it:
//
//	Local\X   X, shared by this user's processes
//	X         the same
//	Global\X  X, shared by all users' processes
//	/X        the shared-memory object X of shm_open(3); on Windows it is Local\/X
//
// The prefixes and X are case-sensitive. X may hold any character but the
// backslash and NUL, in a POSIX name no further slash either. The empty string
// is the zero Name.
//
// Returns [ErrInvalidName] if the name breaks a rule or has more than 32,766
// UTF-16 code units.
func ParseName(s string) (Name, error) {
	name := Name{Base: s}
	if base, ok := strings.CutPrefix(s, localPrefix); ok {
		name = Name{Scope: Local, Base: base}
	} else if base, ok := strings.CutPrefix(s, globalPrefix); ok {
		name = Name{Scope: Global, Base: base}
	} else if base, ok := strings.CutPrefix(s, "/"); ok {
		name = Name{Scope: POSIX, Base: base}
	}
	if s != "" && !name.valid(s) {
		return Name{}, ErrInvalidName
	}
	return name, nil
}

func (n Name) valid(s string) bool {
	switch {
	case n.Base == "" || strings.ContainsAny(n.Base, "\\\x00") || !utf8.ValidString(s):
		return false
	case n.Scope == POSIX && (strings.Contains(n.Base, "/") || n.Base == "." || n.Base == ".."):
		return false
	}
	return utf16Len(s) <= nameUnitsMax
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

// IsZero reports whether n is the name of unnamed objects.
func (n Name) IsZero() bool { return n == Name{} }

// String returns the name in full, with its prefix: the bare name X comes back
// as Local\X. Unnamed objects have "".
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
