package waitable

import (
	"context"
	"io/fs"
	"os"

	"github.com/filemap-go/filemap/internal/kernel"
	"github.com/filemap-go/filemap/object"
)

// Result is what a wait for several objects took.
type Result struct {
	// Index is the index, among the arguments, of the object that [Any] took.
	Index int
	// Holds has the holds of the mutexes that were taken, at the indices of the
	// arguments; for other objects it has zero Holds. It is nil if no mutex was
	// taken.
	Holds []Hold
}

// Abandoned reports whether [Hold.Abandoned] is true of one of the holds.
func (r Result) Abandoned() bool {
	for _, hold := range r.Holds {
		if hold.Abandoned() {
			return true
		}
	}
	return false
}

// Any waits until one of the objects is signaled, and takes it. If several are
// signaled it takes the first of them. There may be any number of objects, and
// the same one twice. If ctx has ended, Any takes an object that is signaled; if
// there is none, the error wraps context.Cause(ctx).
//
// Returns os.ErrClosed if one of the objects is closed, and fs.ErrInvalid if
// there are no objects.
//
// See WaitForMultipleObjects of Win32.
func Any(ctx context.Context, objects ...Object) (Result, error) {
	if err := checkOpen(objects); err != nil {
		return Result{}, err
	}
	i, taken, err := waitAny(ctx, objects)
	if err != nil {
		return Result{}, waitFailed(err)
	}
	result := Result{Index: i}
	if m, ok := objects[i].(*Mutex); ok {
		result.Holds = make([]Hold, len(objects))
		result.Holds[i] = Hold{m, taken}
	}
	return result, nil
}

// All waits until all of the objects are signaled at one moment, and takes
// them; until then it takes none. It returns fs.ErrInvalid if an object is given
// twice, even by different handles. Pulsing an event ends a wait of [Any], but
// not one of All. In all other respects All is like Any.
//
// # Windows notes
//
// The system waits for up to 64 objects; for more, All returns
// errors.ErrUnsupported.
func All(ctx context.Context, objects ...Object) (Result, error) {
	names, handles := split(objects)
	if err := checkOpen(objects); err != nil {
		return Result{}, err
	}
	if err := awaitNames(ctx, objects, names); err != nil {
		return Result{}, waitFailed(err)
	}
	var result Result
	if len(handles) == 0 {
		return result, nil
	}
	all := make([]*kernel.Sync, 0, len(handles))
	taken, err := kernel.WaitAll(ctx, kernels(all, objects))
	if err != nil {
		return Result{}, waitFailed(err)
	}
	for k, i := range handles {
		if m, ok := objects[i].(*Mutex); ok {
			if result.Holds == nil {
				result.Holds = make([]Hold, len(objects))
			}
			result.Holds[i] = Hold{m, taken[k]}
		}
	}
	return result, nil
}

// Outcome is the result of a wait, or its error.
type Outcome struct {
	Result
	Err error
}

// Chan starts a wait for one of the objects, as [Any] does, and returns a
// channel that receives its outcome, for a select statement. A caller that no
// longer wants the outcome ends ctx and then receives from the channel: the wait
// may have taken an object just before. The channel is buffered, so the wait's
// goroutine ends in any case.
func Chan(ctx context.Context, objects ...Object) <-chan Outcome {
	outcome := make(chan Outcome, 1)
	go func() {
		result, err := Any(ctx, objects...)
		outcome <- Outcome{result, err}
	}()
	return outcome
}

// Signal is a function for [SignalAndWait]: [Event.Set], [Hold.Unlock], or a
// func() error that calls [Semaphore.Release].
type Signal = func() error

// SignalAndWait calls signal and then waits for an object, as [Any] does. The two
// are not one atomic step: another process may take the object in between.
//
// See SignalObjectAndWait of Win32.
func SignalAndWait(ctx context.Context, signal Signal, wait Object) (Result, error) {
	if err := checkOpen([]Object{wait}); err != nil {
		return Result{}, err
	}
	if err := signal(); err != nil {
		return Result{}, err
	}
	return Any(ctx, wait)
}

// split returns the indices of the names among the objects, and of the others.
func split(objects []Object) (names, handles []int) {
	for i, o := range objects {
		if o.waitable() == nil {
			names = append(names, i)
		} else {
			handles = append(handles, i)
		}
	}
	return names, handles
}

// kernels appends what the objects are to the system, but for names.
func kernels(all []*kernel.Sync, objects []Object) []*kernel.Sync {
	for _, o := range objects {
		if h := o.waitable(); h != nil {
			all = append(all, h.kernel)
		}
	}
	return all
}

// checkOpen returns an error for the first object that is closed.
func checkOpen(objects []Object) error {
	if len(objects) == 0 {
		return waitFailed(object.Explain(fs.ErrInvalid, "there is nothing to wait for"))
	}
	for _, o := range objects {
		h := o.waitable()
		if h == nil {
			continue
		}
		h.closing.Lock()
		closed := h.closed
		h.closing.Unlock()
		if closed {
			return h.failed("wait", os.ErrClosed)
		}
	}
	return nil
}

func waitFailed(err error) error { return &object.Error{Op: "wait", Err: err} }
