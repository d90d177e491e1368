package main

import (
	"bufio"
	"encoding/binary"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// decoder returns the character that bytes begin with, and how many bytes it has:
// 0 if the bytes are only the beginning of one. What is not a character is
// utf8.RuneError, U+FFFD.
type decoder func(p []byte) (r rune, n int)

// encodings are the values of --text.
var encodings = map[string]decoder{
	"utf8":    decodeUTF8,
	"utf16":   decodeUTF16,
	"wchar32": decodeWide,
}

func decodeUTF8(p []byte) (rune, int) {
	if !utf8.FullRune(p) {
		return 0, 0
	}
	return utf8.DecodeRune(p)
}

func decodeUTF16(p []byte) (rune, int) {
	if len(p) < 2 {
		return 0, 0
	}
	r := rune(binary.LittleEndian.Uint16(p))
	if !utf16.IsSurrogate(r) {
		return r, 2
	}
	const low = 0xDC00
	if r < low && len(p) < 4 {
		return 0, 0
	}
	if r < low {
		if pair := utf16.DecodeRune(r, rune(binary.LittleEndian.Uint16(p[2:]))); pair != utf8.RuneError {
			return pair, 4
		}
	}
	return utf8.RuneError, 2
}

func decodeWide(p []byte) (rune, int) {
	if len(p) < 4 {
		return 0, 0
	}
	if r := binary.LittleEndian.Uint32(p); r <= utf8.MaxRune && utf8.ValidRune(rune(r)) {
		return rune(r), 4
	}
	return utf8.RuneError, 4
}

// textFlag is --text.
type textFlag struct{ given string }

func (t *textFlag) addTo(c *cobra.Command, usage string) {
	c.Flags().StringVar(&t.given, "text", "", usage+": utf8, utf16 (little-endian), wchar32 (wchar_t of 4 bytes)")
	completeFlag(c, "text", "utf8", "utf16", "wchar32")
}

// decoder returns the one that the flag asks for, nil for none.
func (t *textFlag) decoder(c *cobra.Command) (decoder, error) {
	decode, ok := encodings[t.given]
	if !ok && c.Flags().Changed("text") {
		return nil, badUsage(c, "--text is utf8, utf16 or wchar32, not %q", t.given)
	}
	return decode, nil
}

// printText prints the string that the input begins with, up to a NUL, on a line.
func printText(w io.Writer, input io.Reader, decode decoder) error {
	in, out := bufio.NewReader(input), bufio.NewWriter(w)
	escape := isTerminal(w)
	for {
		p, err := in.Peek(utf8.UTFMax)
		if len(p) == 0 && err != io.EOF {
			return err
		}
		r, n := decode(p)
		if n == 0 && len(p) > 0 { // the end cuts a character off
			r, n = utf8.RuneError, len(p)
		}
		if r == 0 {
			out.WriteByte('\n')
			return out.Flush()
		}
		if escape {
			out.WriteString(printable(string(r)))
		} else {
			out.WriteRune(r)
		}
		_, _ = in.Discard(n) // it has as many
	}
}
