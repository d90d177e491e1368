package main

import (
	"io"
	"slices"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// content is a message or a value in JSON, which has only text.
type content struct {
	Text   *string `json:"text,omitempty"`
	Base64 []byte  `json:"base64,omitempty"` // if it is not UTF-8
}

func contentOf(data []byte) content {
	if !utf8.Valid(data) {
		return content{Base64: data}
	}
	text := string(data)
	return content{Text: &text}
}

// contentFlags say how contents are printed.
type contentFlags struct{ raw, asJSON bool }

func (f *contentFlags) addTo(c *cobra.Command, raw string) {
	c.Flags().BoolVar(&f.raw, "raw", false, raw)
	c.Flags().BoolVar(&f.asJSON, "json", false, "print JSON, a document on each line")
}

func (f *contentFlags) check(c *cobra.Command) error {
	if f.raw && f.asJSON {
		return badUsage(c, "--raw and --json exclude each other")
	}
	return nil
}

// printContent prints a content. document returns what stands for it in JSON.
func (f *contentFlags) printContent(w io.Writer, data []byte, document func(content) any) error {
	switch {
	case f.asJSON:
		return printJSONLine(w, document(contentOf(data)))
	case f.raw:
		return printMessage(w, data, "")
	}
	return printMessage(w, data, "\n")
}

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
