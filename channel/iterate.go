package channel

import (
	"context"
	"iter"
)

// All returns an iterator over the messages that [Queue.Receive] returns. A message
// is valid until the next step of the iteration. When ctx ends, or a call fails,
// the error is the last element; messages that are still there stay in the queue.
func (q *Queue) All(ctx context.Context) iter.Seq2[[]byte, error] {
	return all(ctx, q.failed, q.Receive)
}

// All returns an iterator over the messages that [Subscription.Receive] returns. A
// message is valid until the next step of the iteration. When ctx ends, or a call
// fails, the error is the last element.
func (s *Subscription) All(ctx context.Context) iter.Seq2[[]byte, error] {
	return all(ctx, s.failed, s.Receive)
}

// all receives into one buffer, so that other receivers go on while the caller is at
// work with a message.
func all(
	ctx context.Context, failed func(op string, err error) error,
	receive func(context.Context, []byte) ([]byte, error),
) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var message []byte
		for {
			var err error
			if ctx.Err() != nil { // receive would go on as long as there are messages
				err = failed("receive", context.Cause(ctx))
			} else {
				message, err = receive(ctx, message)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(message, nil) {
				return
			}
		}
	}
}

// All returns an iterator over the newest value and each that is the newest after
// it, as [Latest.Next] leases them. Values that are replaced before the caller asks
// for the next one are skipped. A value is valid until the next step of the
// iteration. When ctx ends, or a call fails, the error is the last element.
func (l *Latest) All(ctx context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for version, more := uint64(0), true; more; {
			if ctx.Err() != nil { // Next would go on as long as there are values
				yield(nil, l.check("lease", context.Cause(ctx)))
				return
			}
			lease, err := l.Next(ctx, version)
			if err != nil {
				yield(nil, err)
				return
			}
			version, more = lease.Version(), lease.lend(yield)
		}
	}
}

// lend releases the lease after the call, also if that panics.
func (l LatestLease) lend(yield func([]byte, error) bool) bool {
	defer l.Release()
	return yield(l.Bytes(), nil)
}
