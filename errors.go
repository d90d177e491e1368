package filemap

import (
	"fmt"
	"io/fs"

	"github.com/filemap-go/filemap/object"
)

var (
	errAccess     = object.Explain(fs.ErrInvalid, "no such access")
	errSize       = object.Explain(fs.ErrInvalid, "the size must be more than 0")
	errTwoFiles   = object.Explain(fs.ErrInvalid, "File and OpenFile are both given")
	errInitAccess = object.Explain(fs.ErrInvalid, "Init needs ReadWrite access")
	errBase       = object.Explain(fs.ErrInvalid,
		"the base address, and the offset with it, must be multiples of 64 KiB")
)

// tooSmall returns the error of opening a mapping of fewer bytes than asked for.
func tooSmall(size, least int64) error {
	return object.Explain(object.ErrRange,
		fmt.Sprintf("the mapping has %d bytes, and at least %d are asked for", size, least))
}

// failed returns the error of an operation on a mapping.
func failed(op, name string, err error) error {
	return &object.Error{Op: op, Kind: object.Mapping, Name: name, Err: err}
}
