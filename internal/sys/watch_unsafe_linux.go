package sys

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// WatchDir returns a file whose reads block until names in a directory come to
// be, or files there change their size: inotify(7).
func WatchDir(dir string) (*os.File, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	const events = unix.IN_CREATE | unix.IN_MOVED_TO | unix.IN_MODIFY | unix.IN_ONLYDIR
	if _, err := unix.InotifyAddWatch(fd, dir, events); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("inotify_add_watch", err)
	}
	return os.NewFile(uintptr(fd), "inotify"), nil
}

// WatchedNames calls f with each name in what a read of such a file returned,
// or with "" where the system lost count and any name may have come to be.
func WatchedNames(events []byte, f func(name string)) {
	for len(events) >= unix.SizeofInotifyEvent {
		event := (*unix.InotifyEvent)(unsafe.Pointer(&events[0]))
		end := unix.SizeofInotifyEvent + int(event.Len)
		f(unix.ByteSliceToString(events[unix.SizeofInotifyEvent:end]))
		events = events[end:]
	}
}
