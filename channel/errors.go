package channel

import (
	"errors"
	"strings"

	"github.com/filemap-go/filemap/object"
)

// The errors that are this package's own.
var (
	// ErrFull: there is no room for the message now.
	ErrFull = errors.New("the channel is full")
	// ErrTooLong: the message is longer than the channel can ever take.
	ErrTooLong = errors.New("the message is too long for the channel")
)

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
