package waitable

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/filemap-go/filemap/internal/kernel"
	"github.com/filemap-go/filemap/object"
)

// Name is the name of an object of any kind, mappings included. A program can wait
// for it together with other objects: it is signaled while a process has an
// object of the name open. The wait opens nothing: the object may be gone by the
// time the program opens it.
type Name string

// Name returns the name.
func (n Name) Name() string { return string(n) }

// Kind returns the zero Kind: the object may be of any kind.
func (n Name) Kind() object.Kind { return 0 }

func (n Name) waitable() *handle        { return nil }
func (n Name) conditional() conditional { return n }

// conditional is what is waited for where there is no handle of this package: a
// [Name], or what NewCondition returns.
type conditional interface {
	ready(context.Context) (bool, error)
	await(context.Context) error
}

// ready reports whether some process has an object of the name open.
func (n Name) ready(ctx context.Context) (bool, error) {
	parsed, err := object.ParseName(string(n))
	if err != nil {
		return false, err
	}
	return kernel.Exists(ctx, parsed)
}

// namePause is how often names are looked for where the system does not tell
// of new ones.
const namePause = 20 * time.Millisecond

// await waits until the name exists. It looks once more when ctx ends: the name
// may have come before.
func (n Name) await(ctx context.Context) error {
	parsed, err := object.ParseName(string(n))
	if err != nil {
		return err
	}
	changed, stop, watchErr := kernel.Watch(parsed)
	if watchErr == nil {
		defer stop()
	}
	for {
		ended := ctx.Err() != nil // before the look
		if ok, err := n.ready(ctx); ok || err != nil {
			return err
		}
		if ended {
			return context.Cause(ctx)
		}
		var again <-chan time.Time
		if watchErr != nil {
			again = time.After(namePause)
		}
		select {
		case <-changed:
		case <-again:
		case <-ctx.Done():
		}
	}
}

// errAppeared ends a wait for objects when a name has come to be.
var errAppeared = errors.New("the name exists")

// waitAny waits for the first of the objects.
func waitAny(ctx context.Context, objects []Object) (int, kernel.Taken, error) {
	var few [8]*kernel.Sync // a wait for so many allocates nothing
	handles := kernels(few[:0], objects)
	if len(handles) == len(objects) {
		return kernel.WaitAny(ctx, handles)
	}
	return waitAnyNamed(ctx, slices.Clone(objects))
}

// waitAnyNamed is waitAny where there are names among the objects.
func waitAnyNamed(ctx context.Context, objects []Object) (int, kernel.Taken, error) {
	if i, taken, ok, err := tryInOrder(ctx, objects); ok || err != nil {
		return i, taken, err
	}
	names, handles := split(objects)
	both, cancel := context.WithCancelCause(ctx)
	var waits sync.WaitGroup
	defer waits.Wait() // what they use is the caller's again
	defer cancel(nil)
	appeared := make(chan int, len(names))
	for _, i := range names {
		waits.Go(func() {
			switch err := objects[i].conditional().await(both); {
			case err == nil:
				appeared <- i
				cancel(errAppeared)
			case both.Err() == nil:
				cancel(err)
			}
		})
	}
	if len(handles) > 0 {
		if k, taken, err := kernel.WaitAny(both, kernels(nil, objects)); err == nil {
			return handles[k], taken, nil
		} else if both.Err() == nil {
			return 0, kernel.Taken{}, err
		}
	}
	<-both.Done()
	err := context.Cause(both)
	if errors.Is(err, errAppeared) {
		return <-appeared, kernel.Taken{}, nil
	}
	if i, taken, ok, tryErr := tryInOrder(ctx, objects); ok || tryErr != nil { // the last look
		return i, taken, tryErr
	}
	return 0, kernel.Taken{}, err
}

// tryInOrder takes the first object that is signaled now.
func tryInOrder(ctx context.Context, objects []Object) (int, kernel.Taken, bool, error) {
	for i, o := range objects {
		taken, ok, err := kernel.Taken{}, false, error(nil)
		if h := o.waitable(); h != nil {
			taken, ok, err = h.kernel.TryWait()
		} else {
			ok, err = o.conditional().ready(ctx)
		}
		if ok || err != nil {
			return i, taken, ok, err
		}
	}
	return 0, kernel.Taken{}, false, nil
}

// awaitNames waits until all of the names exist.
func awaitNames(ctx context.Context, objects []Object, names []int) error {
	for _, i := range names {
		if err := objects[i].conditional().await(ctx); err != nil {
			return err
		}
	}
	return nil
}
