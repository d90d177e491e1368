package main

import (
	"errors"
	"os"
	"sync/atomic"
	"unsafe"

	"github.com/filemap-go/filemap"
	"golang.org/x/sys/unix"
)

// The baseline of wake-ups: two words of shared memory that two processes sleep
// on by futex(2), and nothing else.

// startFutex starts the other process.
func startFutex() (*trip, error) {
	name := uniqueName(futexRole)
	m, err := filemap.Create(name, 8, nil)
	if err != nil {
		return nil, err
	}
	ping, pong, err := futexWords(m)
	if err != nil {
		return nil, err
	}
	child, stop, err := startChild(futexRole, name)
	if err != nil {
		return nil, err
	}
	turn := uint32(0)
	return &trip{name: "raw futexes", there: func() error {
		turn++
		post(ping, turn)
		return sleepUntil(pong, turn)
	}, stop: func() error {
		_ = child.Process.Kill()
		return errors.Join(stop(), m.Close())
	}}, nil
}

func futexEcho() error {
	go endWithParent()
	m, err := filemap.Open(os.Getenv(nameVariable), nil)
	if err != nil {
		return err
	}
	ping, pong, err := futexWords(m)
	if err != nil {
		return err
	}
	for turn := uint32(1); ; turn++ {
		if err := sleepUntil(ping, turn); err != nil {
			return err
		}
		post(pong, turn)
	}
}

func futexWords(m *filemap.Mapping) (ping, pong *atomic.Uint32, err error) {
	v, err := m.View(0, 0)
	if err != nil {
		return nil, nil, err
	}
	words, err := filemap.SliceAt[atomic.Uint32](v, 0, 2)
	if err != nil {
		return nil, nil, err
	}
	return &words[0], &words[1], nil
}

func post(word *atomic.Uint32, turn uint32) {
	const futexWake = 1
	word.Store(turn)
	_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWake, 1, 0, 0, 0)
}

func sleepUntil(word *atomic.Uint32, turn uint32) error {
	const futexWait = 0
	for now := word.Load(); now != turn; now = word.Load() {
		_, _, errno := unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWait,
			uintptr(now), 0, 0, 0)
		if errno != 0 && errno != unix.EAGAIN && errno != unix.EINTR {
			return errno
		}
	}
	return nil
}
