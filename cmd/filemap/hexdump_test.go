package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// dumped returns what a dumper makes of data that comes in random pieces.
func dumped(t *testing.T, r *rand.Rand, d dumper, data []byte) string {
	t.Helper()
	var out strings.Builder
	d.w = &out
	for len(data) > 0 {
		piece := data[:1+r.IntN(len(data))]
		if n, err := d.Write(piece); n != len(piece) || err != nil {
			t.Fatalf("Write = %d, %v, want %d", n, err, len(piece))
		}
		data = data[len(piece):]
	}
	if err := d.end(); err != nil {
		t.Fatalf("end: %v", err)
	}
	return out.String()
}

// TestDumper compares dumps of random bytes with encoding/hex's, which know of
// no offsets, and end without one.
func TestDumper(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for length := range 100 {
		data := make([]byte, length)
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		want := hex.Dump(data) + fmt.Sprintf("%08x\n", length)
		if got := dumped(t, r, dumper{}, data); got != want {
			t.Fatalf("a dump of %d bytes:\n%swant:\n%s", length, got, want)
		}
	}
}

func TestDumperOffset(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	got := dumped(t, r, dumper{offset: 0xffffffff7}, []byte("0123456789abcdefg"))
	want := "ffffffff7  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|\n" +
		"1000000007  67                                                |g|\n" +
		"1000000008\n"
	if got != want {
		t.Errorf("a dump:\n%swant:\n%s", got, want)
	}
}

// TestDumperCollapse takes dumps apart again: all lines that repeat the one
// above, but no others, are one star.
func TestDumperCollapse(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		data := repetitive(r)
		var want strings.Builder
		lines := strings.SplitAfter(hex.Dump(data), "\n")
		for i := range lines {
			same := func(i int) bool { return i > 0 && bytes.Equal(lineOf(data, i-1), lineOf(data, i)) }
			switch {
			case lines[i] != "" && !same(i):
				want.WriteString(lines[i])
			case lines[i] != "" && !same(i-1):
				want.WriteString("*\n")
			}
		}
		fmt.Fprintf(&want, "%08x\n", len(data))
		if got := dumped(t, r, dumper{collapse: true}, data); got != want.String() {
			t.Fatalf("a dump of %q:\n%swant:\n%s", data, got, want.String())
		}
	}
}

// repetitive returns bytes of which many lines are the same.
func repetitive(r *rand.Rand) []byte {
	var data []byte
	for range r.IntN(12) {
		data = append(data, bytes.Repeat([]byte{'a' + byte(r.IntN(2))}, bytesPerLine)...)
	}
	return data[:len(data)-r.IntN(len(data)+1)%bytesPerLine]
}

func lineOf(data []byte, i int) []byte {
	return data[i*bytesPerLine : min((i+1)*bytesPerLine, len(data))]
}

// TestDumperMarks looks for the colours of bytes that changed, and of zeros.
func TestDumperMarks(t *testing.T) {
	var out strings.Builder
	d := dumper{w: &out, colour: true, before: []byte{1, 2, 0}}
	_, _ = d.Write([]byte{1, 3, 0})
	if err := d.end(); err != nil {
		t.Fatalf("end: %v", err)
	}
	changed := colourChanged + "03" + colourEnd
	zero := colourZero + "00" + colourEnd
	if got := out.String(); !strings.Contains(got, "  01 "+changed+" "+zero+" ") {
		t.Errorf("a dump with colours: %q, want %q and %q in it", got, changed, zero)
	}
}

// failingWriter takes some writes, and then no more.
type failingWriter struct{ left int }

var errFull = errors.New("full")

func (w *failingWriter) Write(p []byte) (int, error) {
	if w.left--; w.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestDumperFails(t *testing.T) {
	d := dumper{w: &failingWriter{left: 1}}
	if _, err := d.Write(make([]byte, 3*bytesPerLine)); err != errFull {
		t.Errorf("Write = %v, want %v", err, errFull)
	}
	d = dumper{w: &failingWriter{}}
	if err := d.end(); err != errFull {
		t.Errorf("end = %v, want %v", err, errFull)
	}
}

// TestShowChangedLines compares with a dump of everything.
func TestShowChangedLines(t *testing.T) {
	before := bytes.Repeat([]byte{7}, 50)
	now := bytes.Clone(before)
	now[17], now[49] = 8, 9
	var out strings.Builder
	if err := showChangedLines(&out, dumper{before: before}, now); err != nil {
		t.Fatalf("showChangedLines: %v", err)
	}
	lines := strings.SplitAfter(hex.Dump(now), "\n")
	if got, want := out.String(), lines[1]+lines[3]; got != want {
		t.Errorf("showChangedLines:\n%swant:\n%s", got, want)
	}
}

// TestRedraw checks that a frame shows everything, in place of the one before.
func TestRedraw(t *testing.T) {
	now := []byte("0123456789abcdef")
	for _, before := range [][]byte{nil, now} {
		var out strings.Builder
		if err := redraw(&out, dumper{before: before}, now); err != nil {
			t.Fatalf("redraw: %v", err)
		}
		frame := out.String()
		if !strings.HasPrefix(frame, cursorHome) || !strings.Contains(frame, "|0123456789abcdef|") {
			t.Errorf("redraw: %q, want it to begin at the top and show the bytes", frame)
		}
		if cleared := strings.Contains(frame, clearScreen); cleared != (before == nil) {
			t.Errorf("redraw: %q, want it to clear the screen at first only", frame)
		}
	}
}
