package main

import (
	"context"
	"errors"
	"time"

	"github.com/filemap-go/filemap/object"
)

// relockPause is how often a lock's name is looked at while its command runs.
const relockPause = time.Second

// relockLost watches the name of a lock that is held. If another program removes
// the name, it says so and takes the lock of the name again, so that commands that
// come later wait as they should. The returned function ends the watch and gives
// that lock back.
func (l *locker) relockLost(held *holding) (stop func() error) {
	if held.permit {
		return func() error { return nil }
	}
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() { result <- l.relock(ctx, held) }()
	return func() error {
		cancel()
		return <-result
	}
}

// relock returns when ctx ends.
func (l *locker) relock(ctx context.Context, held *holding) error {
	tick := time.NewTicker(relockPause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := held.Check(); !errors.Is(err, object.ErrNameLost) {
			continue
		}
		again, err := l.takeNow()
		if err != nil {
			l.tell("the name was removed, and another process has locked it since")
			<-ctx.Done()
			return nil
		}
		l.tell("the name was removed, and is locked again")
		return errors.Join(l.relock(ctx, again), again.giveBack())
	}
}

// takeNow takes the lock if it is free.
func (l *locker) takeNow() (*holding, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 0)
	defer cancel()
	held, err := l.take(ctx)
	if err == nil && held.permit {
		return nil, errors.Join(object.ErrWrongKind, held.giveBack())
	}
	return held, err
}
