package channels

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// pipes are two pipes, one there and one back. They have names only for the
// processes to find them: otherwise they are those of os.Pipe.
var pipes = []contestant{contestant{name: "pipe", open: openPipes}.in(bulk, openPipes)}

func openPipes(e end, name string) (messenger, error) {
	there, back := besides(name+"-there"), besides(name+"-back")
	for _, path := range []string{there, back} {
		if err := unix.Mkfifo(path, 0o600); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	// Each open waits for the other end: both open there before back.
	if e == clientEnd {
		w, err := os.OpenFile(there, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		r, err := os.Open(back)
		return newFrames(r, w, w, r), err
	}
	r, err := os.Open(there)
	if err != nil {
		return nil, err
	}
	w, err := os.OpenFile(back, os.O_WRONLY, 0)
	return newFrames(r, w, r, w), errors.Join(err, os.Remove(there), os.Remove(back))
}
