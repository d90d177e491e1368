package main

import (
	"fmt"
	"os"
)

// progress is a line on the terminal that says what goes on. Where there is no
// terminal it shows nothing.
type progress struct{ terminal bool }

func newProgress() *progress {
	stat, err := os.Stderr.Stat()
	return &progress{terminal: err == nil && stat.Mode()&os.ModeCharDevice != 0}
}

// Control sequences of terminals: to the line's beginning, and clear to its end.
const clearLine = "\r\x1b[K"

func (p *progress) show(format string, args ...any) {
	if p.terminal {
		fmt.Fprintf(os.Stderr, clearLine+format, args...)
	}
}

func (p *progress) clear() { p.show("") }
