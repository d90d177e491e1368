package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
	"strings"
	"syscall"

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
	exitSignal    = 128 // and the signal's number
)

// hinted is an error with a hint of its own.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// plainWords says what Go says in words of its own.
var plainWords = strings.NewReplacer(
	context.DeadlineExceeded.Error(), "timed out",
	context.Canceled.Error(), "interrupted",
)

// report prints an error, in one line, and a hint where one helps. It returns
// the exit code.
func report(stderr io.Writer, err error) int {
	if err == nil || isBrokenPipe(err) { // the reader of the output has enough
		return exitDone
	}
	if ran := exitCode(0); errors.As(err, &ran) {
		return int(ran) // it has said itself what there is to say
	}
	code, hint := classify(err)
	fmt.Fprintf(stderr, "filemap: %s\n", printable(plainWords.Replace(err.Error())))
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
	own := exitCodeError{}
	switch {
	case errors.As(err, &own):
		return own.code, ""
	case errors.As(err, &usage):
		return exitUsage, fmt.Sprintf("see %s --help", usage.command.CommandPath())
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return exitTimeout, ""
	case errors.Is(err, path.ErrBadPattern):
		return exitUsage, "patterns have * and ? and [a-z]"
	case errors.Is(err, object.ErrInvalidName):
		return exitUsage, `names are Local\X, Global\X or X, and X has no backslash`
	case errors.Is(err, object.ErrWrongKind):
		return exitWrongKind, "'filemap info NAME' tells its kind"
	case errors.Is(err, fs.ErrPermission):
		return exitDenied, ""
	case errors.Is(err, fs.ErrExist):
		return exitExists, "'filemap info NAME' tells who holds it"
	case errors.Is(err, fs.ErrNotExist) && !isAboutFile(err):
		return exitNotExist, "'filemap ls' shows the names there are"
	case errors.Is(err, object.ErrRange):
		return exitFailed, "'filemap info NAME' tells its size"
	case errors.Is(err, object.ErrNameLost):
		return exitFailed, "another program removed the object's file; for a lock, another command may have run beside this one"
	case errors.Is(err, object.ErrNoSpace):
		return exitFailed, roomHint(err, "")
	}
	return exitFailed, ""
}

// isAboutFile reports whether the error is about a file or a directory, such
// as that of create --file, rather than a name.
func isAboutFile(err error) bool {
	_, is := errors.AsType[*fs.PathError](err)
	return is
}

// isBrokenPipe reports whether an error is that of a write to a pipe that
// nobody reads any more.
func isBrokenPipe(err error) bool {
	const (
		errorBrokenPipe = syscall.Errno(109)
		errorNoData     = syscall.Errno(232)
	)
	if runtime.GOOS == "windows" {
		return errors.Is(err, errorBrokenPipe) || errors.Is(err, errorNoData)
	}
	return errors.Is(err, syscall.EPIPE)
}
