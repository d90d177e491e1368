package channel

import (
	"context"

	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/channel/internal/segment"
)

// Flush waits until closing this handle loses no message: until the queue is
// empty, or another handle, of any process, has it open. If ctx ends first, or has
// ended, the error wraps context.Cause(ctx).
func (q *Queue) Flush(ctx context.Context) error {
	return q.check("flush", q.await(ctx, func() (bool, error) {
		if is, err := q.isEmpty(); is || err != nil {
			return is, err
		}
		return q.segment.Peers.Exist()
	}))
}

// AwaitEmpty waits until no message is in the queue, and none in hand: all that
// were sent are received, and those that were taken are done. If ctx ends first, or
// has ended, the error wraps context.Cause(ctx).
func (q *Queue) AwaitEmpty(ctx context.Context) error {
	return q.check("wait", q.await(ctx, q.isEmpty))
}

// await waits until a condition is true. It looks when messages leave the queue.
func (q *Queue) await(ctx context.Context, condition func() (bool, error)) error {
	alone := segment.Spin{Option: SpinNever}
	p := segment.Patience{Bell: q.sending.bell, Spin: &alone}
	defer p.Stop()
	for {
		if ok, err := condition(); ok || err != nil {
			return err
		}
		if err := q.segment.Peers.Wait(ctx, &p, ring.Empty); err != nil {
			return err
		}
	}
}

// isEmpty reports whether there is neither a message nor one in hand. The latter
// is looked at last: a message that is taken is in hand before it is no longer at
// the receiving end.
func (q *Queue) isEmpty() (is bool, err error) {
	err = q.segment.View.Guard(func() error {
		_, _, a, err := q.ring.Next(ring.LoadEnd(&q.ring.Receive.End).Position())
		is = err == nil && a == ring.Empty && !q.ring.AnyInHand()
		return err
	})
	return is, err
}
