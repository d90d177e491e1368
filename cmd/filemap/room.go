package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/object"
)

// withRoom gives the error of a mapping that a file backs a hint on the lack of
// room where the file is.
func withRoom(err error, file string) error {
	if errors.Is(err, object.ErrNoSpace) {
		return hinted{err, roomHint(err, filepath.Dir(file))}
	}
	return err
}

// roomHint returns what most often helps if there is no room for a file in a
// directory; "" is that of the object that the error is of. An error that explains
// itself needs none.
func roomHint(err error, dir string) string {
	failed, _ := errors.AsType[*object.Error](err)
	if failed == nil || failed.Err != object.ErrNoSpace || runtime.GOOS != "linux" {
		return ""
	}
	if dir == "" {
		native, _ := filemap.NativeName(failed.Name) // an object that failed had a right one
		dir = filepath.Dir(native)
	}
	if limit := fileLimit(); limit != unlimited {
		return fmt.Sprintf("df '%s' shows the room, and files of this shell have at most %s bytes: see ulimit -f",
			dir, limit)
	}
	return fmt.Sprintf("'filemap clean' gives back what dead objects left; df '%s' shows the room", dir)
}

const unlimited = "unlimited"

// fileLimit returns how large a file may be that this process writes, in bytes.
func fileLimit() string {
	limits, _ := os.ReadFile("/proc/self/limits")
	for line := range strings.Lines(string(limits)) {
		if limit, ok := strings.CutPrefix(line, "Max file size "); ok {
			return strings.Fields(limit)[0]
		}
	}
	return unlimited
}
