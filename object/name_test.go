package object_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/filemap-go/filemap/object"
)

// TestInvalidNames has the error name the rule that a name breaks.
func TestInvalidNames(t *testing.T) {
	tests := []struct{ name, rule string }{
		{`Local\`, `nothing follows Local\`},
		{`Global\`, `nothing follows Global\`},
		{`/`, `nothing follows /`},
		{`local\X`, `local\ is not a prefix: Local\ and Global\ are`},
		{`Session\1\X`, `Session\ is not a prefix: Local\ and Global\ are`},
		{`\X`, `\ is not a prefix: Local\ and Global\ are`},
		{`Local\a\b`, `it has a backslash after its prefix`},
		{`/a\b`, `it has a backslash after its prefix`},
		{"a\x00b", "it has a NUL"},
		{"Local\\\xff", "it is not valid UTF-8"},
		{"/a/b", "it has a second slash"},
		{"/..", "/.. is a directory"},
		{`Local\` + strings.Repeat("x", 32760), ""},
		{`Local\` + strings.Repeat("x", 32761), "it has 32767 UTF-16 code units, more than 32766"},
		{strings.Repeat("𝄞", 16384), "it has 32768 UTF-16 code units, more than 32766"},
	}
	for _, test := range tests {
		_, err := object.ParseName(test.name)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if want := "invalid name: " + test.rule; test.rule != "" && text != want || test.rule == "" && err != nil {
			t.Errorf("%.40q: error %q, want %q", test.name, text, want)
		}
		if err != nil && !(errors.Is(err, object.ErrInvalidName) && errors.Is(err, fs.ErrInvalid)) {
			t.Errorf("%.40q: %v is not an ErrInvalidName and an fs.ErrInvalid", test.name, err)
		}
	}
}
