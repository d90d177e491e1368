package measure

import (
	"fmt"
	"os"
)

// Progress is a line on the terminal that says what goes on. Where there is no
// terminal it shows nothing.
type Progress struct{ terminal bool }

// NewProgress looks for a terminal.
func NewProgress() *Progress {
	stat, err := os.Stderr.Stat()
	return &Progress{terminal: err == nil && stat.Mode()&os.ModeCharDevice != 0}
}

// Control sequences of terminals: to the line's beginning, and clear to its end.
const clearLine = "\r\x1b[K"

// Show replaces the line.
func (p *Progress) Show(format string, args ...any) {
	if p.terminal {
		fmt.Fprintf(os.Stderr, clearLine+format, args...)
	}
}

// Clear leaves no line.
func (p *Progress) Clear() { p.Show("") }
