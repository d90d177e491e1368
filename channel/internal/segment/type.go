package segment

import (
	"bytes"
	"strconv"
	"strings"
)

// Type is what a preamble has of the type of the messages: zeros if they have none.
type Type struct {
	Fingerprint uint64   // FNV-1a, 64 bits, of the description; 1 if that is 0
	Text        [64]byte // the description's beginning, and zeros
}

// Description returns the description as far as it is there, for people.
func (t *Type) Description() string {
	if t.Fingerprint == 0 {
		return ""
	}
	text, _, ended := bytes.Cut(t.Text[:], []byte{0})
	shown := strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '?' // another process wrote it
		}
		return r
	}, string(text))
	if !ended {
		shown += "..."
	}
	return shown
}
