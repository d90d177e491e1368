package object

import (
	"errors"
	"io/fs"
	"strings"
)

// Error is what filemap's functions return: the operation that failed, on
// which object, and why. Its Err is, or wraps, one of this package's errors or
// of those in package io/fs, or an error of the system.
type Error struct {
	Op   string // what was tried, in one word: "create", "open", "view", "read", ...
	Kind Kind   // of the object the operation was for
	Name string // of the object, with its prefix; "" if it has none
	Err  error
}

// Error returns the operation, the name and the cause, as in
// "open Local\SampleMap: no such name".
func (e *Error) Error() string {
	subject := e.Name
	if subject == "" && e.Kind.Known() {
		subject = "unnamed " + e.Kind.String()
	}
	return strings.TrimSpace(e.Op+" "+subject) + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// A cause is an error with a text of its own that errors.Is also takes for a
// broader one.
type cause struct {
	text string
	is   error
}

func (c *cause) Error() string        { return c.text }
func (c *cause) Is(target error) bool { return c.is != nil && target == c.is }

// Explain returns an error with the given text that errors.Is takes for err.
func Explain(err error, text string) error { return &explained{text, err} }

type explained struct {
	text string
	err  error
}

func (e *explained) Error() string { return e.text }
func (e *explained) Unwrap() error { return e.err }

// The causes that are filemap's own. Where one is a case of a more general
// error of package io/fs, errors.Is finds that one too.
var (
	// ErrNotExist: no process holds an object of this name. It is an
	// fs.ErrNotExist.
	ErrNotExist error = &cause{"no such name", fs.ErrNotExist}
	// ErrExist: the name is taken by a live object. It is an fs.ErrExist.
	ErrExist error = &cause{"the name exists", fs.ErrExist}
	// ErrPermission: the object's owner has not admitted this user, or not for
	// this access. It is an fs.ErrPermission.
	ErrPermission error = &cause{"access denied", fs.ErrPermission}
	// ErrInvalidName: the text is no object name. It is an fs.ErrInvalid.
	ErrInvalidName error = &cause{"invalid name", fs.ErrInvalid}
	// ErrWrongKind: the name stands for an object of another kind.
	ErrWrongKind = errors.New("the name is an object of another kind")
	// ErrRange: the bytes asked for lie outside the mapping or the view. It is
	// an fs.ErrInvalid.
	ErrRange error = &cause{"outside the mapping", fs.ErrInvalid}
	// ErrNoSpace: the memory or the disk has no room for what was asked for.
	ErrNoSpace = errors.New("no space left for the mapping")
	// ErrFault: the bytes could not be touched, because somebody has truncated
	// the file under them, or the memory to hold them has run out.
	ErrFault = errors.New("the mapped bytes are gone")
	// ErrNotOwner: the caller does not hold the mutex, or no longer.
	ErrNotOwner = errors.New("the mutex is not held")
	// ErrLimit: the semaphore would come to have more permits than its maximum.
	ErrLimit = errors.New("over the semaphore's maximum")
	// ErrNameLost: the object is alive but its name was taken away by somebody
	// else, so that nobody can open it any more.
	ErrNameLost = errors.New("the name was removed by somebody else")
	// ErrCorrupt: what other processes wrote where filemap keeps its own
	// records makes no sense.
	ErrCorrupt = errors.New("the object's records are corrupt")
	// ErrVersion: the object was made by a version of filemap whose records
	// this one does not read.
	ErrVersion = errors.New("the object is of an unknown version")
)
