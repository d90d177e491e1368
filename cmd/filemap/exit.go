package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/object"
)

// What scripts depend on.
const (
	exitDone      = 0
	exitFailed    = 1
	exitUsage     = 2
	exitNotExist  = 3
	exitWrongKind = 4
	exitDenied    = 5
	exitExists    = 6
	exitTimeout   = 124
)

// usageError is a mistake in the command line.
type usageError struct {
	command *cobra.Command
	err     error
}

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// badUsage returns a usageError with a message of its own.
func badUsage(c *cobra.Command, format string, args ...any) error {
	return usageError{c, fmt.Errorf(format, args...)}
}

// hinted is an error with a hint of its own.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// report prints an error, in one line, and a hint where one helps. It returns
// the exit code.
func report(stderr io.Writer, err error) int {
	if err == nil || errors.Is(err, syscall.EPIPE) { // whoever read the output has enough
		return exitDone
	}
	code, hint := classify(err)
	fmt.Fprintf(stderr, "filemap: %s\n", printable(err.Error()))
	if own := (hinted{}); errors.As(err, &own) {
		hint = own.hint
	}
	if hint != "" {
		fmt.Fprintf(stderr, "hint: %s\n", hint)
	}
	return code
}

// classify returns an error's exit code and the hint that most often helps.
func classify(err error) (code int, hint string) {
	usage := usageError{}
	switch {
	case errors.As(err, &usage):
		return exitUsage, fmt.Sprintf("see %s --help", usage.command.CommandPath())
	case errors.Is(err, context.DeadlineExceeded):
		return exitTimeout, ""
	case errors.Is(err, object.ErrInvalidName):
		return exitUsage, `names are Local\X, Global\X or X, and X has no backslash`
	case errors.Is(err, object.ErrWrongKind):
		return exitWrongKind, "'filemap info NAME' tells its kind"
	case errors.Is(err, fs.ErrPermission):
		return exitDenied, ""
	case errors.Is(err, fs.ErrExist):
		return exitExists, "'filemap info NAME' tells who holds it"
	case errors.Is(err, fs.ErrNotExist):
		return exitNotExist, "'filemap ls' shows the names there are"
	case errors.Is(err, object.ErrNoSpace) && runtime.GOOS == "linux":
		return exitFailed, "'filemap clean' gives back what dead objects left; 'df /dev/shm' shows the room"
	}
	return exitFailed, ""
}
