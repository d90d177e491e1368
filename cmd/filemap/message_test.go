package main

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

func TestEncodeMessage(t *testing.T) {
	got, err := encodeMessage("aé𝄞", 10)
	want := []byte{'a', 0, 0xE9, 0, 0x34, 0xD8, 0x1E, 0xDD, 0, 0}
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("encodeMessage = % x, %v, want % x", got, err, want)
	}
	if _, err := encodeMessage("aé𝄞", 9); err == nil {
		t.Error("encodeMessage with too little room: no error")
	}
	if got, err := encodeMessage("", 2); err != nil || len(got) != 2 {
		t.Errorf("encodeMessage of nothing = % x, %v, want a NUL", got, err)
	}
}

// FuzzDecodeMessage decodes what some other process wrote.
func FuzzDecodeMessage(f *testing.F) {
	sample, err := encodeMessage(sampleMessage, sampleView)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sample)
	f.Add(sample[:len(sample)-3])                  // half a unit, and no NUL
	f.Add([]byte{})                                // nothing
	f.Add([]byte{'a'})                             // half a unit
	f.Add([]byte{0, 0, 'a', 0})                    // an empty message
	f.Add([]byte{0x34, 0xD8, 'a', 0, 0, 0})        // a high surrogate alone
	f.Add([]byte{0x1E, 0xDD, 0x34, 0xD8})          // a pair the wrong way round
	f.Add([]byte{0x1b, 0, '[', 0, '2', 0, 'J', 0}) // a terminal's command
	f.Add([]byte{0x9b, 0, '2', 0, 'J', 0})         // the same, the other way
	f.Add([]byte{'\n', 0, '"', 0, '\r', 0})        // an end of the line
	f.Add([]byte{0x2e, 0x20, 0xff, 0xfe})          // a change of direction
	f.Add(bytes.Repeat([]byte{0xff}, sampleView))  // no NUL
	f.Fuzz(func(t *testing.T, data []byte) {
		text := decodeMessage(data)
		if !utf8.ValidString(text) || strings.Contains(text, "\x00") {
			t.Errorf("decodeMessage(% x) = %q", data, text)
		}
		shown := printable(text)
		if strings.ContainsAny(shown, "\n\r\x1b\u009b\u202e") {
			t.Errorf("printable(%q) = %q", text, shown)
		}
		// A NUL, or the end, ends the message; what is well-formed comes back.
		back, err := encodeMessage(text, int64(len(data))+2)
		if err != nil {
			t.Fatalf("encodeMessage(%q): %v", text, err)
		}
		if wellFormed(data[:len(back)-2]) && !bytes.HasPrefix(data, back[:len(back)-2]) {
			t.Errorf("decodeMessage(% x) = %q, which is % x", data, text, back)
		}
	})
}

// wellFormed reports whether UTF-16 has no surrogates that stand alone.
func wellFormed(data []byte) bool {
	for ; len(data) >= 2; data = data[2:] {
		unit := rune(binary.LittleEndian.Uint16(data))
		if !utf16.IsSurrogate(unit) {
			continue
		}
		data = data[2:]
		if len(data) < 2 {
			return false
		}
		next := rune(binary.LittleEndian.Uint16(data))
		if utf16.DecodeRune(unit, next) == utf8.RuneError {
			return false
		}
	}
	return true
}
