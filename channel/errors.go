package channel

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/filemap-go/filemap/object"
)

// The errors of this package.
var (
	// ErrFull: there is no room for the message now.
	ErrFull = errors.New("the channel is full")
	// ErrTooLong: the message is longer than the longest that the channel takes.
	ErrTooLong = errors.New("the message is too long for the channel")
	// ErrOverwritten: publishers have overwritten the message while it was leased.
	ErrOverwritten = errors.New("the message has been overwritten")
)

// tooLong returns an [ErrTooLong] for a message.
func tooLong(length, longest uint64) error {
	return object.Explain(ErrTooLong, fmt.Sprintf(
		"the message is too long for the channel: %d bytes, and the limit is %d", length, longest))
}

// beyondDraft returns an [object.ErrRange] for a commit of more than was reserved,
// or of less than nothing.
func beyondDraft(length, reserved int) error {
	return object.Explain(object.ErrRange, fmt.Sprintf("length %d: %d bytes are reserved", length, reserved))
}

// negative returns an fs.ErrInvalid for a length.
func negative(length int) error {
	return object.Explain(fs.ErrInvalid, fmt.Sprintf("length %d: it must not be negative", length))
}

// tooFew returns an fs.ErrInvalid for a number of messages.
func tooFew(most int) error {
	return object.Explain(fs.ErrInvalid, fmt.Sprintf("%d messages: it must be 1 or more", most))
}

// failed returns the error of an operation on a channel. What comes from below
// names the channel or a part of it, which is nothing to the caller.
func failed(op, name string, err error) error {
	if parsed, parseErr := object.ParseName(name); parseErr == nil {
		name = parsed.String()
	}
	if below, ok := err.(*object.Error); ok &&
		(below.Name == "" || below.Name == name || strings.HasPrefix(below.Name, name+"~")) {
		err = below.Err
	}
	return &object.Error{Op: op, Kind: object.Mapping, Name: name, Err: err}
}
