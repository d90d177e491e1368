package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// relockPause is how often a lock's name is looked at while its command runs.
const relockPause = time.Second

// relockLost watches the name of a mutex that is held. If another program
// removes the name, it says so and locks a new mutex of the name, so that
// commands that come later wait as they should. The returned function ends the
// watch and unlocks.
func relockLost(c *cobra.Command, held anyObject) (stop func() error) {
	mutex, ok := held.(*waitable.Mutex)
	if !ok {
		return func() error { return nil }
	}
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() { result <- relock(ctx, c, mutex) }()
	return func() error {
		cancel()
		return <-result
	}
}

// relock returns when ctx ends.
func relock(ctx context.Context, c *cobra.Command, mutex *waitable.Mutex) error {
	tick := time.NewTicker(relockPause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := mutex.Check(); !errors.Is(err, object.ErrNameLost) {
			continue
		}
		again, unlock, err := takeNow(c, mutex.Name())
		if err != nil {
			tell(c, mutex.Name(), "the name was removed, and another process has locked it since")
			<-ctx.Done()
			return nil
		}
		tell(c, mutex.Name(), "the name was removed, and is locked again")
		return errors.Join(relock(ctx, c, again), unlock(), again.Close())
	}
}

// takeNow locks the mutex of a name if nobody has.
func takeNow(c *cobra.Command, name string) (*waitable.Mutex, func() error, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 0)
	defer cancel()
	held, unlock, err := take(ctx, c, name)
	if err != nil {
		return nil, nil, err
	}
	mutex, ok := held.(*waitable.Mutex)
	if !ok {
		return nil, nil, errors.Join(object.ErrWrongKind, unlock(), held.Close())
	}
	return mutex, unlock, nil
}

func tell(c *cobra.Command, name, what string) {
	fmt.Fprintf(c.ErrOrStderr(), "filemap: lock %s: %s\n", printable(name), what)
}
