package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"runtime"
	"strings"
	"testing"

	"github.com/filemap-go/filemap/object"
)

// failure returns an error as the library does.
func failure(cause error) error {
	return &object.Error{Op: "open", Kind: object.Mapping, Name: `Local\X`, Err: cause}
}

func TestClassify(t *testing.T) {
	root := newRoot()
	tests := []struct {
		err  error
		code int
	}{
		{usageError{root, errors.New("mistake")}, exitUsage},
		{hinted{usageError{root, errors.New("mistake")}, "hint"}, exitUsage},
		{failure(object.ErrInvalidName), exitUsage},
		{failure(path.ErrBadPattern), exitUsage},
		{failure(object.ErrNotExist), exitNotExist},
		{failure(fs.ErrNotExist), exitNotExist},
		{hinted{failure(object.ErrNotExist), "hint"}, exitNotExist},
		{failure(object.ErrWrongKind), exitWrongKind},
		{failure(object.ErrPermission), exitDenied},
		{failure(object.Explain(fs.ErrPermission, "in another's hands")), exitDenied},
		{failure(object.ErrExist), exitExists},
		{failure(context.DeadlineExceeded), exitTimeout},
		{failure(os.ErrDeadlineExceeded), exitTimeout},
		{failure(context.Canceled), exitFailed},
		{failure(object.ErrNoSpace), exitFailed},
		{failure(object.ErrRange), exitFailed},
		{failure(object.ErrFault), exitFailed},
		{failure(object.ErrCorrupt), exitFailed},
		{failure(&fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}), exitFailed},
		{fmt.Errorf("demo: %w", errors.New("exit status 6")), exitFailed},
	}
	for _, test := range tests {
		if code, _ := classify(test.err); code != test.code {
			t.Errorf("classify(%v) = %d, want %d", test.err, code, test.code)
		}
	}
}

func TestReport(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{failure(object.ErrFault), "filemap: open Local\\X: the mapped bytes are gone\n"},
		{hinted{failure(object.ErrFault), "pray"},
			"filemap: open Local\\X: the mapped bytes are gone\nhint: pray\n"},
		{failure(context.DeadlineExceeded), "filemap: open Local\\X: timed out\n"},
		{failure(context.Canceled), "filemap: open Local\\X: interrupted\n"},
		{failure(errors.New("two\nlines\x1b[2J")), "filemap: open Local\\X: two\\nlines\\x1b[2J\n"},
	} {
		var stderr strings.Builder
		code := report(&stderr, test.err)
		if got := stderr.String(); got != test.want {
			t.Errorf("report(%v) printed %q, want %q", test.err, got, test.want)
		}
		if (code == exitDone) != (test.err == nil) {
			t.Errorf("report(%v) = %d", test.err, code)
		}
	}
}

// TestBrokenPipe writes to a pipe that nobody reads.
func TestBrokenPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatalf("Pipe: %v", err)
	}
	defer w.Close()
	r.Close()
	_, err = w.WriteString("too late")
	if !isBrokenPipe(err) {
		t.Errorf("isBrokenPipe(%v) = false on %s", err, runtime.GOOS)
	}
	if isBrokenPipe(failure(object.ErrFault)) {
		t.Error("isBrokenPipe of another error = true")
	}
}
