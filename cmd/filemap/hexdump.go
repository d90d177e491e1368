package main

import (
	"bytes"
	"fmt"
	"io"
	"unicode"
)

const bytesPerLine = 16

// dumper writes bytes in the form of hexdump -C:
//
//	00000000  4d 00 65 00 73 00 73 00  61 00 67 00 65 00 20 00  |M.e.s.s.a.g.e. .|
type dumper struct {
	w        io.Writer
	colour   bool
	collapse bool    // show '*' for lines that repeat the one above
	decode   decoder // of the text column; nil for ASCII
	before   []byte  // what the bytes were: changed ones are marked
	offset   int64   // of the next line

	line    []byte // not yet shown
	carried []byte // the beginning of a character, at the end of the line above
	last    []byte // the line above
	starred bool
	shown   int // bytes
}

const (
	colourOffset  = "\x1b[36m"
	colourZero    = "\x1b[2m"
	colourChanged = "\x1b[1;31m"
	colourEnd     = "\x1b[0m"
)

// Write shows the bytes of all lines that are complete.
func (d *dumper) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := min(bytesPerLine-len(d.line), len(rest))
		d.line = append(d.line, rest[:n]...)
		rest = rest[n:]
		if len(d.line) == bytesPerLine {
			if err := d.flush(); err != nil {
				return 0, err
			}
		}
	}
	return len(p), nil
}

// end shows the last line, and the offset after it.
func (d *dumper) end() error {
	if err := d.flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(d.w, d.paint(colourOffset, fmt.Sprintf("%08x", d.offset)))
	return err
}

// flush shows the line.
func (d *dumper) flush() error {
	if len(d.line) == 0 {
		return nil
	}
	var text string
	switch repeats := d.collapse && bytes.Equal(d.line, d.last); {
	case !repeats:
		text = d.format() + "\n"
	case !d.starred:
		text = "*\n"
	}
	d.starred = d.collapse && bytes.Equal(d.line, d.last)
	d.skip(d.line)
	d.line = d.line[:0]
	_, err := io.WriteString(d.w, text)
	return err
}

// skip goes on after a line, shown or not.
func (d *dumper) skip(line []byte) {
	if d.decode != nil {
		_, d.carried = d.cells(line)
	}
	d.last = append(d.last[:0], line...)
	d.offset += int64(len(line))
	d.shown += len(line)
}

func (d *dumper) format() string {
	var hex bytes.Buffer
	for i := range bytesPerLine {
		if i == bytesPerLine/2 {
			hex.WriteByte(' ')
		}
		if i >= len(d.line) {
			hex.WriteString("   ")
			continue
		}
		b := d.line[i]
		hex.WriteString(d.paint(d.colourOf(i, b), fmt.Sprintf("%02x", b)) + " ")
	}
	offset := d.paint(colourOffset, fmt.Sprintf("%08x", d.offset))
	return fmt.Sprintf("%s  %s |%s|", offset, &hex, d.text())
}

// text returns the text column of the line.
func (d *dumper) text() string {
	var text bytes.Buffer
	if d.decode == nil {
		for i, b := range d.line {
			text.WriteString(d.paint(d.colourOf(i, b), string(asciiOrDot(rune(b)))))
		}
		return text.String()
	}
	cells, _ := d.cells(d.line)
	for _, c := range cells {
		text.WriteString(d.paint(d.colourOf(c.at, d.line[c.at]), string(printableOrDot(c.r))))
	}
	return text.String()
}

func asciiOrDot(r rune) rune {
	if r < ' ' || r > '~' {
		return '.'
	}
	return r
}

func printableOrDot(r rune) rune {
	if !unicode.IsPrint(r) {
		return '.'
	}
	return r
}

// cell is a character of the text column, and a byte of the line that it is from.
type cell struct {
	r  rune
	at int
}

// cells returns the characters that end in a line, and the beginning of one more.
func (d *dumper) cells(line []byte) (cells []cell, rest []byte) {
	rest = append(bytes.Clone(d.carried), line...)
	for len(rest) > 0 {
		r, n := d.decode(rest)
		if n == 0 {
			return cells, rest
		}
		at := len(line) - len(rest)
		rest = rest[n:]
		cells = append(cells, cell{r, max(at, 0)})
	}
	return cells, nil
}

func (d *dumper) colourOf(i int, b byte) string {
	switch at := d.shown + i; {
	case at < len(d.before) && d.before[at] != b:
		return colourChanged
	case b == 0:
		return colourZero
	}
	return ""
}

func (d *dumper) paint(colour, text string) string {
	if !d.colour || colour == "" {
		return text
	}
	return colour + text + colourEnd
}
