package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDecoders(t *testing.T) {
	for _, test := range []struct {
		encoding, bytes string
		want            rune
		n               int
	}{
		{"utf8", "a", 'a', 1},
		{"utf8", "\xf0\x9d\x84\x9e", '𝄞', 4},
		{"utf8", "\xf0\x9d\x84", 0, 0},
		{"utf8", "\xf0a", utf8.RuneError, 1},
		{"utf8", "\x80", utf8.RuneError, 1},
		{"utf8", "", 0, 0},
		{"utf16", "a\x00", 'a', 2},
		{"utf16", "a", 0, 0},
		{"utf16", "\x34\xd8\x1e\xdd", '𝄞', 4},
		{"utf16", "\x34\xd8\x1e", 0, 0},
		{"utf16", "\x34\xd8a\x00", utf8.RuneError, 2},
		{"utf16", "\x1e\xdd\x34\xd8", utf8.RuneError, 2},
		{"wchar32", "a\x00\x00\x00", 'a', 4},
		{"wchar32", "\x1e\xd1\x01\x00", '𝄞', 4},
		{"wchar32", "\x00\x00\x11\x00", utf8.RuneError, 4},
		{"wchar32", "\x00\xd8\x00\x00", utf8.RuneError, 4},
		{"wchar32", "\xff\xff\xff\xff", utf8.RuneError, 4},
		{"wchar32", "abc", 0, 0},
	} {
		r, n := encodings[test.encoding]([]byte(test.bytes))
		if r != test.want || n != test.n {
			t.Errorf("%s of % x = %q, %d, want %q, %d",
				test.encoding, test.bytes, r, n, test.want, test.n)
		}
	}
}

// FuzzText decodes what another process wrote, and dumps it in whatever pieces.
func FuzzText(f *testing.F) {
	f.Add([]byte("Gr\xc3\xbc\xc3\x9fe\x1b[2J\xc2\x9b\xe2\x80\xae \xf0\x9d\x84"))
	f.Add([]byte("\x34\xd8\x1e\xdd\x34\xd8a\x00\x1b\x00\x2e\x20"))
	f.Add(bytes.Repeat([]byte{0xf0, 0x9d, 0x84}, 20))
	f.Fuzz(func(t *testing.T, data []byte) {
		for encoding, decode := range encodings {
			var out strings.Builder
			if err := printText(&out, bytes.NewReader(data), decode); err != nil {
				t.Fatalf("printText: %v", err)
			}
			if !utf8.ValidString(out.String()) || strings.Contains(out.String(), "\x00") {
				t.Errorf("%s of % x = %q", encoding, data, out.String())
			}
			out.Reset()
			d := dumper{w: &out, decode: decode}
			_, _ = d.Write(data)
			_ = d.end()
			if shown := strings.ReplaceAll(out.String(), "\n", ""); printable(shown) != shown {
				t.Errorf("a dump of % x in %s: %q", data, encoding, out.String())
			}
		}
	})
}

// TestDumpText checks that what spans two lines is in the text column once, and
// that no character is lost.
func TestDumpText(t *testing.T) {
	text := strings.Repeat("aé世𝄞", 20)
	var out strings.Builder
	d := dumper{w: &out, decode: decodeUTF8}
	_, _ = d.Write([]byte(text))
	_ = d.end()
	var column string
	for line := range strings.Lines(out.String()) {
		if _, after, ok := strings.Cut(line, "|"); ok {
			column += strings.TrimSuffix(after, "|\n")
		}
	}
	if column != text {
		t.Errorf("the text column is %q, want %q", column, text)
	}
}
