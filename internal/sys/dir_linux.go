package sys

import (
	"io"

	"golang.org/x/sys/unix"
)

// Names reads names in a directory from a position on, as many as buf has room
// for, and returns the next position, or 0 at the end. The first position is 0.
func Names(dir string, from int64, buf []byte) (names []string, next int64, err error) {
	var fd int
	err = retry(func() error {
		fd, err = unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	defer unix.Close(fd)
	if _, err := unix.Seek(fd, from, io.SeekStart); err != nil {
		return nil, 0, err
	}
	n, err := unix.Getdents(fd, buf)
	if err != nil || n == 0 {
		return nil, 0, err
	}
	_, _, names = unix.ParseDirent(buf[:n], -1, nil)
	next, err = unix.Seek(fd, 0, io.SeekCurrent)
	return names, next, err
}
