package main

import (
	"encoding/json"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/term"
)

// The rules of output: results go to stdout, all else to stderr; what other
// users chose is shown so that it can't command the terminal; colours are for
// terminals only, and for who has not set NO_COLOR.

// printJSON prints one JSON document.
func printJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// printable returns text, in one line, with what is not fit for a terminal
// escaped.
func printable(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRune(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// wantsColour reports whether a stream should get colours.
func wantsColour(stream any) bool { return isTerminal(stream) && os.Getenv("NO_COLOR") == "" }
