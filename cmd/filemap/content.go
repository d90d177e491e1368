package main

import (
	"io"
	"slices"
)

// printMessage writes a message and its end in one piece, if it is short. What
// other users sent can't command a terminal.
func printMessage(w io.Writer, message []byte, end string) error {
	if isTerminal(w) {
		message = []byte(printable(string(message)))
	}
	if end != "" {
		message = append(slices.Clip(message), end...)
	}
	_, err := w.Write(message)
	return err
}
