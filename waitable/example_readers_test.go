package waitable_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/filemap-go/filemap/waitable"
)

// tableLock is a lock that many readers or one writer have at a time. Nothing counts
// the readers, so that one that is killed leaves nothing wrong: the event of the name
// Example-Table.readers exists as long as a reader has it open.
const tableLock = `Local\Example-Table`

// lockToRead waits until no writer has the lock or waits for it. The returned function
// gives the lock back.
func lockToRead(ctx context.Context) (unlock func(), err error) {
	gate, _, err := waitable.OpenOrCreateMutex(tableLock, nil)
	if err != nil {
		return nil, err
	}
	defer gate.Close()
	hold, err := gate.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer hold.Unlock()
	readers, _, err := waitable.OpenOrCreateEvent(tableLock+".readers", nil)
	if err != nil {
		return nil, err
	}
	return func() {
		readers.Close()
		if left, err := waitable.OpenEvent(tableLock + ".left"); err == nil { // a writer waits
			left.Set()
			left.Close()
		}
	}, nil
}

// lockToWrite waits until nobody else has the lock. While it waits for readers, new
// ones wait at the gate.
func lockToWrite(ctx context.Context) (unlock func(), err error) {
	gate, _, err := waitable.OpenOrCreateMutex(tableLock, nil)
	if err != nil {
		return nil, err
	}
	hold, err := gate.Lock(ctx)
	if err != nil {
		return nil, errors.Join(err, gate.Close())
	}
	unlock = func() {
		hold.Unlock()
		gate.Close()
	}
	if err := awaitNoReaders(ctx); err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

// awaitNoReaders returns when no reader has the event open. A reader that leaves says
// so by another event; for one that was killed, it looks now and then.
func awaitNoReaders(ctx context.Context) error {
	left, _, err := waitable.OpenOrCreateEvent(tableLock+".left", nil)
	if err != nil {
		return err
	}
	defer left.Close()
	for {
		ended := context.Cause(ctx) // before the look
		readers, err := waitable.OpenEvent(tableLock + ".readers")
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		readers.Close()
		if ended != nil {
			return ended
		}
		look, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		err = left.Wait(look)
		cancel()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
	}
}

// Many readers or one writer have a lock, and a killed process counts as one that has
// left. Writers come before readers that come later.
func Example_readers() {
	ctx := context.Background()
	first, err := lockToRead(ctx)
	check(err)
	second, err := lockToRead(ctx)
	check(err)
	fmt.Println("two read at once")

	written := make(chan struct{})
	go func() { // in most programs, another process
		defer close(written)
		unlock, err := lockToWrite(ctx)
		check(err)
		fmt.Println("one writes")
		unlock()
	}()
	first()
	fmt.Println("one still reads")
	second()
	<-written
	// Output:
	// two read at once
	// one still reads
	// one writes
}
