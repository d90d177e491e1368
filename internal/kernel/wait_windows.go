package kernel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/filemap-go/filemap/internal/race"
	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// The system's waits take what they wait for, so the wait that a goroutine is
// told of is always the system's own, and a context that ends asks that wait to
// end: if it took something before, the goroutine gets that. If it did not, it
// looks once more, for it may have begun after both the signal and the end. Where a wait runs
// depends on what it is for:
//
//	a few at a time, without mutexes    on the goroutine's own thread
//	more, without mutexes               on a thread with 62 others: see waiters
//	with mutexes, or for all of several on a thread of its own: see threads
//	for more than 64 objects            on a thread for each: see compete

// satisfied is what a wait took.
type satisfied struct {
	index     int // the first object, of a wait for one
	abandoned bool
}

// satisfiedBy returns what the system's answer to a wait means.
func satisfiedBy(event uint32) satisfied {
	if event >= sys.WAIT_ABANDONED {
		return satisfied{int(event - sys.WAIT_ABANDONED), true}
	}
	return satisfied{int(event), false}
}

// errNotSignaled ends the waits that shall not last.
var errNotSignaled = errors.New("not signaled")

// done is a context for them.
var done = func() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errNotSignaled)
	return ctx
}()

// TryWait implements the contract.
func (s *Sync) TryWait() (Taken, bool, error) {
	_, got, err := WaitAny(done, []*Sync{s})
	if err == errNotSignaled {
		return Taken{}, false, nil
	}
	return got, err == nil, err
}

// Wait implements the contract.
func (s *Sync) Wait(ctx context.Context) (Taken, error) {
	if s.kind == object.Mutex && ctx.Err() == nil {
		defer s.queue(ctx)()
	}
	_, got, err := WaitAny(ctx, []*Sync{s})
	return got, err
}

// queue waits for the goroutine's turn to wait for the mutex, or until ctx ends:
// the last look needs no turn.
func (s *Sync) queue(ctx context.Context) (leave func()) {
	leave = func() { <-s.turn }
	select {
	case s.turn <- struct{}{}:
		return leave
	default:
	}
	ctx, stop := endWithClose(ctx, []*Sync{s})
	defer stop()
	select {
	case s.turn <- struct{}{}:
		return leave
	case <-ctx.Done():
		return func() {}
	}
}

// WaitAny takes the first of the objects that is signaled.
func WaitAny(ctx context.Context, objects []*Sync) (int, Taken, error) {
	if len(objects) == 0 {
		return 0, Taken{}, fs.ErrInvalid
	}
	if err := useAll(objects); err != nil {
		return 0, Taken{}, err
	}
	defer unuseAll(objects)
	if slices.ContainsFunc(objects, (*Sync).isMutex) {
		ctx, stop := endWithClose(ctx, objects)
		defer stop()
		return waitOwning(ctx, objects)
	}
	ended := ctx.Err() != nil // before the look: what is signaled before that is not missed
	i, err := poll(objects)
	if err == errNotSignaled {
		if ended {
			return 0, Taken{}, context.Cause(ctx)
		}
		ctx, stop := endWithClose(ctx, objects)
		defer stop()
		i, err = waitPlain(ctx, objects)
	}
	race.Acquire()
	return i, Taken{}, err
}

func (s *Sync) isMutex() bool { return s.kind == object.Mutex }

// WaitAll takes all of the objects, once all are signaled. The system does not
// tell which of several mutexes was abandoned: then all of them count as that.
func WaitAll(ctx context.Context, objects []*Sync) ([]Taken, error) {
	if err := checkAll(objects); err != nil {
		return nil, err
	}
	if err := useAll(objects); err != nil {
		return nil, err
	}
	defer unuseAll(objects)
	ctx, stop := endWithClose(ctx, objects)
	defer stop()
	t, err := threads.take()
	if err != nil {
		return nil, err
	}
	got, err := t.wait(ctx, handlesOf(objects), true)
	if err != nil {
		threads.put(t)
		return nil, err
	}
	return t.keep(objects, got.abandoned), nil
}

func checkAll(objects []*Sync) error {
	switch {
	case len(objects) == 0:
		return fs.ErrInvalid
	case len(objects) > sys.MAXIMUM_WAIT_OBJECTS:
		return object.Explain(errors.ErrUnsupported, "the system takes 64 objects at once at the most")
	}
	for i, s := range objects {
		if slices.ContainsFunc(objects[:i], s.is) {
			return object.Explain(fs.ErrInvalid, "an object is named twice")
		}
	}
	return nil
}

// useAll keeps the handles open until unuseAll.
func useAll(objects []*Sync) error {
	for i, s := range objects {
		if err := s.use(sys.SYNCHRONIZE); err != nil {
			unuseAll(objects[:i])
			if len(objects) > 1 {
				err = fmt.Errorf("%v: %w", s.name, err)
			}
			return err
		}
	}
	return nil
}

func unuseAll(objects []*Sync) {
	for _, s := range objects {
		s.unuse()
	}
}

func handlesOf(objects []*Sync) []sys.Handle {
	handles := make([]sys.Handle, len(objects), len(objects)+1)
	for i, s := range objects {
		handles[i] = s.handle
	}
	return handles
}

// poll takes the first of the objects, no mutexes, that is signaled now.
func poll(objects []*Sync) (int, error) {
	at := 0
	for chunk := range slices.Chunk(handlesOf(objects), sys.MAXIMUM_WAIT_OBJECTS) {
		event, err := sys.WaitForMultipleObjects(chunk, false, 0, false)
		if err != nil {
			return 0, err
		}
		if event != sys.WAIT_TIMEOUT {
			return at + satisfiedBy(event).index, nil
		}
		at += len(chunk)
	}
	return 0, errNotSignaled
}

// waitPlain waits for objects without mutexes.
func waitPlain(ctx context.Context, objects []*Sync) (int, error) {
	if len(objects) >= sys.MAXIMUM_WAIT_OBJECTS {
		i, _, err := waitOwning(ctx, objects)
		return i, err
	}
	if directWaits.Add(1) <= directMax {
		defer directWaits.Add(-1)
		return waitDirect(ctx, objects)
	}
	directWaits.Add(-1)
	return waiters.wait(ctx, objects)
}

// directMax is how many goroutines block a thread of their own.
const directMax = 64

var directWaits atomic.Int32

// cancels are events that end direct waits, while none uses them.
var cancels = make(chan sys.Handle, directMax)

// waitDirect waits on the thread that it is called on.
func waitDirect(ctx context.Context, objects []*Sync) (int, error) {
	cancel, err := takeCancel()
	if err != nil {
		return 0, err
	}
	set := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = sys.SetEvent(cancel)
		close(set)
	})
	event, err := sys.WaitForMultipleObjects(
		append(handlesOf(objects), cancel), false, sys.INFINITE, false)
	if !stop() {
		<-set
		_ = sys.ResetEvent(cancel)
	}
	cancels <- cancel
	if err == nil && int(event) == len(objects) {
		return 0, context.Cause(ctx) // the objects come first: none was signaled
	}
	return int(event), err
}

func takeCancel() (sys.Handle, error) {
	select {
	case cancel := <-cancels:
		return cancel, nil
	default:
		return sys.CreateEvent(nil, false, false, "")
	}
}

// waitOwning waits on a thread that then owns the mutex, if it took one.
func waitOwning(ctx context.Context, objects []*Sync) (int, Taken, error) {
	if len(objects) > sys.MAXIMUM_WAIT_OBJECTS {
		return waitMany(ctx, objects)
	}
	t, err := threads.take()
	if err != nil {
		return 0, Taken{}, err
	}
	got, err := t.wait(ctx, handlesOf(objects), false)
	if err != nil {
		threads.put(t)
		return 0, Taken{}, err
	}
	return got.index, t.keep(objects[got.index:][:1], got.abandoned)[0], nil
}

// waitMany waits for one of more objects than the system can.
func waitMany(ctx context.Context, objects []*Sync) (int, Taken, error) {
	ended := ctx.Err() != nil
	at := 0
	for chunk := range slices.Chunk(objects, sys.MAXIMUM_WAIT_OBJECTS) {
		i, got, err := waitOwning(done, chunk)
		if err != errNotSignaled {
			return at + i, got, err
		}
		at += len(chunk)
	}
	if ended {
		return 0, Taken{}, context.Cause(ctx)
	}
	return compete(ctx, objects)
}

// compete has a thread wait for each of the objects together with an event
// that lets one of them go on. The system takes both or neither, so that no
// object is taken but the one.
func compete(ctx context.Context, objects []*Sync) (winner int, got Taken, err error) {
	prize, err := sys.CreateEvent(nil, false, true, "")
	if err != nil {
		return 0, Taken{}, err
	}
	defer sys.CloseHandle(prize)
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	winner = -1
	var all sync.WaitGroup
	for i, s := range objects {
		all.Go(func() {
			taken, err := waitWith(ctx, s, prize)
			if err == nil {
				winner, got = i, taken
			}
			end(err) // that of the others
		})
	}
	all.Wait()
	if winner < 0 {
		return 0, Taken{}, context.Cause(ctx)
	}
	return winner, got, nil
}

func waitWith(ctx context.Context, s *Sync, prize sys.Handle) (Taken, error) {
	t, err := threads.take()
	if err != nil {
		return Taken{}, err
	}
	won, err := t.wait(ctx, []sys.Handle{s.handle, prize}, true)
	if err != nil {
		threads.put(t)
		return Taken{}, err
	}
	return t.keep([]*Sync{s}, won.abandoned)[0], nil
}
