package object

import (
	"errors"
	"io/fs"
	"strings"
)

// Error is the error that filemap's functions return: the operation that
// failed, the object, and the cause. Err is or wraps one of this package's
// errors, one of package io/fs, or an error of the system.
type Error struct {
	Op   string // the operation, in one word: "create", "open", "view", "read", ...
	Kind Kind   // of the object
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

// WrongKind returns an [ErrWrongKind] that names the kind that was found and
// the kind that was wanted. If the kind that was found is not known, it returns
// ErrWrongKind itself.
func WrongKind(found, wanted Kind) error {
	if !found.Known() || found == wanted {
		return ErrWrongKind
	}
	return Explain(ErrWrongKind, "it is "+found.article()+", not "+wanted.article())
}

// The causes that are filemap's own. If a cause is a case of a more general
// error of package io/fs, errors.Is finds that one too.
var (
	// ErrNotExist: no process holds an object of this name. It is an
	// fs.ErrNotExist.
	ErrNotExist error = &cause{"no such name", fs.ErrNotExist}
	// ErrExist: a live object has the name. It is an fs.ErrExist.
	ErrExist error = &cause{"the name exists", fs.ErrExist}
	// ErrPermission: the object's owner has not admitted this user at all, or
	// not for this access. It is an fs.ErrPermission.
	ErrPermission error = &cause{"access denied", fs.ErrPermission}
	// ErrInvalidName: the text is not an object name. It is an fs.ErrInvalid.
	ErrInvalidName error = &cause{"invalid name", fs.ErrInvalid}
	// ErrWrongKind: an object of another kind has the name.
	ErrWrongKind = errors.New("the name is an object of another kind")
	// ErrRange: the bytes lie, at least in part, outside the mapping or the
	// view. It is an fs.ErrInvalid.
	ErrRange error = &cause{"outside the mapping", fs.ErrInvalid}
	// ErrNoSpace: there is not enough memory, disk space, or another resource
	// of the system.
	ErrNoSpace = errors.New("no space left")
	// ErrFault: the bytes could not be read or written, because the file under
	// them was truncated, or because the memory to hold them has run out.
	ErrFault = errors.New("the mapped bytes are gone")
	// ErrNotOwner: the caller does not hold the mutex, or no longer holds it.
	ErrNotOwner = errors.New("the mutex is not held")
	// ErrLimit: the semaphore would have more permits than its maximum.
	ErrLimit = errors.New("over the semaphore's maximum")
	// ErrNameLost: the object is alive, but another program removed its name,
	// so that no process can open it any more.
	ErrNameLost = errors.New("the name was removed by somebody else")
	// ErrCorrupt: another process has overwritten filemap's own records with
	// values that they cannot have.
	ErrCorrupt = errors.New("the object's records are corrupt")
	// ErrVersion: the object was created by a version of filemap whose records
	// this version does not read.
	ErrVersion = errors.New("the object is of an unknown version")
)
