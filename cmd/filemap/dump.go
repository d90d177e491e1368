package main

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap"
)

// watching is the flags of a dump that goes on.
type watching struct {
	on       bool
	interval duration
	count    number
}

func newDump() *cobra.Command {
	var p part
	var text textFlag
	w := watching{interval: duration(250 * time.Millisecond)}
	c := &cobra.Command{
		Use:   "dump NAME",
		Short: "Show a mapping's bytes in hex and as text",
		Long: `Show a mapping's bytes in hex and as text, in the form of hexdump -C: a '*' stands for
lines that repeat the one above.

With --watch, show them again and again and mark the bytes that have changed since the
last time: on a terminal in place, otherwise only the lines that changed.

With --text, the text column has the characters of an encoding instead of ASCII, counted
from --offset. A character that spans two lines is shown in the second. A '.' stands for what
can't be shown, and U+FFFD for what is not a character.`,
		Example: `  filemap dump 'Local\SampleMap' --length 64
  filemap dump 'Local\SampleMap' --length 64 --text utf16
  filemap dump 'Local\SampleMap' --length 1KiB --watch --interval 100ms`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeNames(1, "mapping"),
	}
	p.addTo(c)
	c.Flags().BoolVar(&w.on, "watch", false, "keep it live, until Ctrl-C")
	text.addTo(c, "show text in this encoding")
	c.Flags().Var(&w.interval, "interval", "time between two looks")
	c.Flags().Var(&w.count, "count", "end after this number of looks; 0 is never")
	c.RunE = func(c *cobra.Command, args []string) error {
		if w.interval == 0 {
			return badUsage(c, "--interval must be more than 0")
		}
		if !w.on && (c.Flags().Changed("interval") || c.Flags().Changed("count")) {
			return badUsage(c, "--interval and --count are for --watch")
		}
		decode, err := text.decoder(c)
		if err != nil {
			return err
		}
		view, err := openView(args[0], filemap.ReadOnly, p)
		if err != nil {
			return err
		}
		defer view.Close()
		if w.on {
			defer catchSignals(c)()
			return watch(c, view, w, decode)
		}
		return dump(c.OutOrStdout(), view, decode)
	}
	return c
}

// dump shows a view once. It reads pieces, so it takes any size.
func dump(w io.Writer, view *filemap.View, decode decoder) error {
	d := dumper{w: w, decode: decode, colour: wantsColour(w), offset: view.Offset(), collapse: true}
	if _, err := io.Copy(&d, view.Reader()); err != nil {
		return err
	}
	return d.end()
}

// watchMax is how much of a mapping can be watched at a time.
const watchMax = 64 << 10

func watch(c *cobra.Command, view *filemap.View, w watching, decode decoder) error {
	if view.Len() > watchMax {
		return badUsage(c, "--watch shows at most %s: give --offset and --length", formatSize(watchMax))
	}
	show := showChangedLines
	if isTerminal(c.OutOrStdout()) {
		show = redraw
	}
	var before []byte
	now := make([]byte, view.Len())
	ticker := time.NewTicker(time.Duration(w.interval))
	defer ticker.Stop()
	for looks := number(1); ; looks++ {
		if _, err := view.ReadAt(now, 0); err != nil {
			return err
		}
		form := dumper{decode: decode, offset: view.Offset(), before: before}
		if err := show(c.OutOrStdout(), form, now); err != nil {
			return err
		}
		if looks == w.count {
			return nil
		}
		before = append(before[:0], now...)
		select {
		case <-ticker.C:
		case <-c.Context().Done():
			return nil
		}
	}
}

// What moves a terminal's cursor to the top, and clears what is below it.
const (
	cursorHome  = "\x1b[H"
	clearScreen = "\x1b[J"
)

// redraw shows the bytes in place on a terminal.
func redraw(w io.Writer, d dumper, now []byte) error {
	var frame bytes.Buffer
	frame.WriteString(cursorHome)
	if d.before == nil {
		frame.WriteString(clearScreen)
	}
	d.w, d.colour = &frame, wantsColour(w)
	_, _ = d.Write(now) // to memory
	_ = d.end()
	fmt.Fprintf(&frame, "%s  Ctrl-C ends\x1b[K\n", time.Now().Format("15:04:05.000"))
	_, err := w.Write(frame.Bytes())
	return err
}

// showChangedLines shows the lines in which a byte has changed; at first, all.
func showChangedLines(w io.Writer, d dumper, now []byte) error {
	d.w = w
	for at := 0; at < len(now); at += bytesPerLine {
		end := min(at+bytesPerLine, len(now))
		line := now[at:end]
		if d.before != nil && bytes.Equal(line, d.before[at:end]) {
			d.skip(line)
			continue
		}
		if _, err := d.Write(line); err != nil {
			return err
		}
		if err := d.flush(); err != nil {
			return err
		}
	}
	return nil
}
