package channel

import (
	"context"
	"errors"
	"io/fs"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/filemap-go/filemap/channel/internal/segment"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// DialOptions are the options of [Dial]. The zero value has the defaults.
type DialOptions struct {
	// Wait waits until a Listener has the name, or the context ends. Without
	// Wait, Dial returns fs.ErrNotExist at once.
	Wait bool

	// Spin is how long waits of this side spin before they sleep:
	// [SpinAdaptive], [SpinNever], [SpinAlways], or a time.
	Spin time.Duration
}

// Dial connects to the [Listener] of a name. It waits until the Listener's process
// has the connection, not until the connection is accepted: until then the
// connection keeps what this side writes, up to its capacity. If ctx ends first,
// the error wraps context.Cause(ctx).
//
// Returns fs.ErrNotExist if no Listener has the name, object.ErrWrongKind if the
// name is another object's, such as a queue's, syscall.ECONNREFUSED if the
// Listener can't open the connection, object.ErrNoSpace if this process has as many
// connections to the Listener as there can be, and fs.ErrExist or fs.ErrPermission if
// another process has taken the name of an object that the connection needs: a further
// Dial tries another name.
func Dial(ctx context.Context, name string, opts *DialOptions) (*Conn, error) {
	if opts == nil {
		opts = &DialOptions{}
	}
	for {
		ended := ctx.Err() != nil // before the look
		c, err := dial(ctx, name, *opts)
		crowded := errors.Is(err, segment.ErrCrowded) // with others that dial
		switch {
		case err == nil:
			return c, nil
		case !crowded && !(opts.Wait && errors.Is(err, fs.ErrNotExist)):
		case ended:
			err = context.Cause(ctx)
		case crowded:
			pause(ctx, crowdPause)
			continue
		default:
			if err = awaitListener(ctx, name); err == nil || ctx.Err() != nil {
				continue
			}
		}
		return nil, failed("dial", name, err)
	}
}

const (
	// dialPause is how long to wait for the next step of a process that is about
	// to listen, or to end.
	dialPause = time.Millisecond

	// crowdPause is how long to wait if more dial than the queue has places: to
	// find that out is to look at all of them.
	crowdPause = 100 * time.Millisecond
)

// awaitListener waits for what only a Listener has: the queue is there as long
// as anybody dials.
func awaitListener(ctx context.Context, name string) error {
	if _, err := waitable.Any(ctx, waitable.Name(name+listenerSuffix)); err != nil {
		return err
	}
	pause(ctx, dialPause)
	return nil
}

// pause returns after a time, or when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func dial(ctx context.Context, name string, opts DialOptions) (*Conn, error) {
	d, err := dialed.enter(ctx, name)
	if err != nil {
		return nil, err
	}
	return d.dial(ctx, opts)
}

// listener returns the mutex and the id of the Listener that has the queue, and the
// capacity of its connections.
func (q *Queue) listener() (mutex *waitable.Mutex, id, capacity uint64, err error) {
	if err := q.segment.View.Guard(func() error {
		id, capacity = atomic.LoadUint64(&q.ring.Send.Oldest), atomic.LoadUint64(&q.ring.Send.Limit)
		return nil
	}); err != nil {
		return nil, 0, 0, err
	}
	if id == 0 {
		return nil, 0, 0, errNobody
	}
	if capacity < segment.CapacityLeast || capacity > segment.CapacityMost || capacity&(capacity-1) != 0 {
		return nil, 0, 0, object.ErrCorrupt
	}
	mutex, err = waitable.OpenMutex(q.segment.Name + idSuffix(id))
	if errors.Is(err, fs.ErrNotExist) {
		err = errNobody
	}
	return mutex, id, capacity, err
}

var errLookAgain = errors.New("time to look whether the listener lives")

// takeTime is how long a Listener has to take a connection, even if the context
// has ended before: it needs a millisecond.
const takeTime = 100 * time.Millisecond

// errNobody is an [object.ErrNotExist].
var errNobody = object.Explain(object.ErrNotExist, "nobody listens there")

// errRefused is a syscall.ECONNREFUSED.
var errRefused = object.Explain(syscall.ECONNREFUSED, "the listener could not open the connection")

// lasting returns a context that ends with another, and lasts for some time at
// least.
func lasting(ctx context.Context, least time.Duration) (context.Context, func()) {
	longer, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	begun := time.Now()
	stop := context.AfterFunc(ctx, func() {
		pause(longer, least-time.Since(begun))
		cancel(context.Cause(ctx))
	})
	return longer, func() {
		stop()
		cancel(nil)
	}
}
