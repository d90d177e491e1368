package main

import "strings"

// word is a word of a command line, as far as it is typed.
type word struct {
	text  string // what the shell makes of it
	typed string // as it stands in the line
}

// splitLine splits a line into words as shells for Unix do, without expanding
// anything. The last word is the one at the end of the line: it may be empty, or
// in a quote that is still open.
func splitLine(line string) []word {
	var words []word
	for {
		line = strings.TrimLeft(line, " \t\n")
		text, n := readWord(line)
		words = append(words, word{text, line[:n]})
		if line = line[n:]; line == "" {
			return words
		}
	}
}

// readWord reads the word that a line begins with, and returns its length, too.
func readWord(line string) (text string, n int) {
	var b strings.Builder
	var quote byte // the open one
	for n < len(line) {
		c := line[n]
		n++
		switch {
		case quote == 0 && strings.IndexByte(" \t\n", c) >= 0:
			return b.String(), n - 1
		case c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case c == '\\' && escapes(quote, line[n:]):
			b.WriteByte(line[n])
			n++
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), n
}

// escapes reports whether a backslash escapes the byte that follows it.
func escapes(quote byte, rest string) bool {
	switch {
	case rest == "" || quote == '\'':
		return false
	case quote == '"':
		return strings.IndexByte("\"\\$`", rest[0]) >= 0
	}
	return true
}

// meaning returns what a user means by a word. A backslash before a letter or at the
// end, as in Local\X without quotes, is one of a name, though the shell drops it.
func (w word) meaning() string {
	if strings.ContainsAny(w.typed, `'"`) || strings.Contains(w.typed, `\\`) {
		return w.text
	}
	var b strings.Builder
	for rest := w.typed; rest != ""; rest = rest[1:] {
		if len(rest) > 1 && rest[0] == '\\' && strings.IndexByte(shellSpecial, rest[1]) >= 0 {
			rest = rest[1:]
		}
		b.WriteByte(rest[0])
	}
	return b.String()
}

// quoteAs quotes a text in the way in which a word begins, and without a quote at
// the end: the user may go on.
func (w word) quoteAs(text string) string {
	switch {
	case strings.HasPrefix(w.typed, `'`):
		return `'` + strings.ReplaceAll(text, `'`, `'\''`)
	case strings.HasPrefix(w.typed, `"`):
		return `"` + backslashed(text, "\"\\$`")
	case strings.Contains(w.typed, `\\`):
		return backslashed(text, shellSpecial)
	case strings.ContainsAny(text, shellSpecial):
		return `'` + strings.ReplaceAll(text, `'`, `'\''`) + `'`
	}
	return text
}

// shellSpecial is what is not itself in a word without quotes.
const shellSpecial = " \t\n|&;<>()$`\\\"'*?[]{}#~!"

// backslashed puts a backslash before each of the special characters.
func backslashed(text, special string) string {
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune(special, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
