package layout

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/filemap-go/filemap/object"
)

// A filemap object is one file in a flat directory:
//
//	filemap.<uid>.<encoded base name>   Local names, the uid in decimal
//	filemap.g.<encoded base name>       Global names
//	<base name>                         POSIX names
//
// The encoding keeps a base name's UTF-8 but for the control characters,
// space, DEL, '/', '%' and a leading '.', which become %XX. A name that would
// be longer than fileNameMax is cut and carries a hash of the whole instead:
//
//	<at most 150 bytes of the encoding>%h<32 hexadecimal digits>
//
// No encoding holds "%h", so a cut name is never another name's encoding.
const (
	globalMark   = "g"
	hashMark     = "%h"
	hashDigits   = 32
	hashedKept   = 150
	fileNameMax  = 255 - len(AliasSuffix)
	upperHex     = "0123456789ABCDEF"
	userDigits   = 10
	encodedBytes = fileNameMax - len(Prefix) - userDigits - len(".")
)

// Prefix is what the names of filemap's files begin with.
const Prefix = "filemap."

// AliasSuffix ends the second name that an object's file has for programs that
// remove what they attach to. No encoding ends so.
const AliasSuffix = "%shm"

// NameAttribute is the extended attribute that holds the full name of an
// object whose file name is cut, for listings.
const NameAttribute = "user.filemap.name"

// FileName returns the name of the file that stands for an object of the given
// user.
func FileName(name object.Name, uid uint32) string {
	switch name.Scope {
	case object.POSIX:
		return name.Base
	case object.Global:
		return Prefix + globalMark + "." + encode(name.Base)
	}
	return LocalPrefix(uid) + encode(name.Base)
}

// LocalPrefix returns what the file names of a user's Local objects begin with.
func LocalPrefix(uid uint32) string {
	return Prefix + strconv.FormatUint(uint64(uid), 10) + "."
}

// GlobalPrefix returns what the file names of Global objects begin with.
func GlobalPrefix() string { return Prefix + globalMark + "." }

// Reserved reports whether a POSIX name is one that filemap gives its own
// files, or their aliases.
func Reserved(base string) bool { return strings.HasPrefix(base, Prefix) }

// Owned is what a file name says of the object.
type Owned struct {
	Name object.Name
	UID  uint32 // of the user whose name it is, for Local names
	Cut  bool   // Name is only its beginning
}

// IsCut reports whether a file name holds only the beginning of an object's name.
func IsCut(file string) bool {
	return strings.HasPrefix(file, Prefix) && strings.Contains(file, hashMark)
}

// ParseFileName returns what a file's name says, or false if no object's file
// has such a name. Aliases are none.
func ParseFileName(file string) (Owned, bool) {
	rest, ok := strings.CutPrefix(file, Prefix)
	if !ok {
		return Owned{}, false
	}
	owner, encoded, ok := strings.Cut(rest, ".")
	if !ok {
		return Owned{}, false
	}
	owned := Owned{Name: object.Name{Scope: object.Global}}
	if owner != globalMark {
		uid, err := strconv.ParseUint(owner, 10, 32)
		if err != nil {
			return Owned{}, false
		}
		owned.Name.Scope, owned.UID = object.Local, uint32(uid)
	}
	if at := len(encoded) - len(hashMark) - hashDigits; at > 0 && encoded[at:at+2] == hashMark {
		encoded, owned.Cut = encoded[:at], true
	}
	owned.Name.Base, ok = decode(encoded)
	return owned, ok
}

func encode(base string) string {
	if isPlain(base) {
		return base
	}
	var b strings.Builder
	cut := 0 // where to cut, if need be: the end of the last unit within hashedKept
	for i := 0; i < len(base); {
		_, size := utf8.DecodeRuneInString(base[i:])
		if c := base[i]; escaped(c, i) {
			b.WriteByte('%')
			b.WriteByte(upperHex[c>>4])
			b.WriteByte(upperHex[c&15])
		} else {
			b.WriteString(base[i : i+size])
		}
		i += size
		if b.Len() <= hashedKept {
			cut = b.Len()
		}
		if b.Len() > encodedBytes {
			sum := sha256.Sum256([]byte(base))
			return b.String()[:cut] + hashMark + hex.EncodeToString(sum[:hashDigits/2])
		}
	}
	return b.String()
}

// isPlain reports whether a base name is its own encoding.
func isPlain(base string) bool {
	for i := range len(base) {
		if escaped(base[i], i) {
			return false
		}
	}
	return len(base) <= encodedBytes
}

func escaped(c byte, index int) bool {
	return c <= ' ' || c == 0x7f || c == '/' || c == '%' || c == '.' && index == 0
}

// decode reverses encode. A file that somebody named in a way that encode
// never does is nobody's object.
func decode(encoded string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(encoded); i++ {
		c := encoded[i]
		if c == '%' {
			digits, err := strconv.ParseUint(encoded[i+1:min(i+3, len(encoded))], 16, 8)
			if err != nil {
				return "", false
			}
			c, i = byte(digits), i+2
		}
		b.WriteByte(c)
	}
	base := b.String()
	return base, base != "" && utf8.ValidString(base) && encode(base) == encoded
}
