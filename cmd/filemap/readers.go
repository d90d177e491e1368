package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// Many readers or one writer, without a count that a killed process could leave
// wrong. The mutex of the lock's name is the gate. A reader passes through it and
// meanwhile opens the object NAME.readers, which so exists as long as a reader
// does, however that ends. A writer stays in the gate, and waits until the object
// does not exist. Example_readers of package waitable is the same for other programs.

// readersPause is how often a writer looks for readers that were killed: one that
// ends well says so, by the event NAME.left.
const readersPause = 50 * time.Millisecond

const (
	readersSuffix = ".readers"
	leftSuffix    = ".left"
)

// enter makes the holder of the gate a reader, which leaves the gate. It keeps the
// mutex open so that the lock's name exists.
func (l *locker) enter(gate *waitable.Mutex, hold waitable.Hold) (*holding, error) {
	// A semaphore, because waitable.Start shares one with a command.
	readers, _, err := waitable.OpenOrCreateSemaphore(l.name+readersSuffix, 1, 1,
		&waitable.SemaphoreOptions{Security: l.security})
	if err != nil {
		return nil, errors.Join(err, hold.Unlock(), gate.Close())
	}
	if err := hold.Unlock(); err != nil {
		return nil, errors.Join(err, readers.Close(), gate.Close())
	}
	return &holding{readers, func() error {
		return errors.Join(readers.Check(), readers.Close(), l.leave(), gate.Close())
	}, false}, nil
}

// leave tells a writer that a reader has closed its handle.
func (l *locker) leave() error {
	left, err := waitable.OpenEvent(l.name + leftSuffix)
	if err != nil {
		return nil // nobody waits; or it looks, as for a reader that was killed
	}
	return errors.Join(left.Set(), left.Close())
}

// awaitReaders waits, in the gate, until there are no readers.
func (l *locker) awaitReaders(ctx context.Context) error {
	if there, err := l.hasReaders(); !there || err != nil {
		return err
	}
	left, _, err := waitable.OpenOrCreateEvent(l.name+leftSuffix,
		&waitable.EventOptions{Security: l.security})
	if err != nil {
		return err
	}
	defer left.Close()
	for {
		ended := context.Cause(ctx) // before the look: what has left by then has
		if there, err := l.hasReaders(); !there || err != nil {
			return err
		}
		if ended != nil {
			name := strings.TrimSuffix(left.Name(), leftSuffix)
			return hinted{&object.Error{Op: "lock", Kind: object.Mutex, Name: name, Err: ended},
				fmt.Sprintf("commands that read have it: see filemap info '%s'", name+readersSuffix)}
		}
		look, cancel := context.WithTimeout(ctx, readersPause)
		err := left.Wait(look)
		cancel()
		if err != nil && look.Err() == nil {
			return err
		}
	}
}

// hasReaders reports whether a reader has the lock. Only a holder of the gate may
// ask: to look is to open the object of the readers for a moment.
func (l *locker) hasReaders() (bool, error) {
	readers, err := waitable.OpenSemaphore(l.name + readersSuffix)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, object.ErrWrongKind):
		return false, nil // an object of another kind is not one of readers
	case err != nil:
		return false, err
	}
	return true, readers.Close()
}
