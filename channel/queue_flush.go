package channel

import "context"

// Flush waits until closing this handle loses no message: until the queue is
// empty, or another handle, of any process, has it open. If ctx ends first, or has
// ended, the error wraps context.Cause(ctx).
func (q *Queue) Flush(ctx context.Context) error {
	alone := spin{option: SpinNever}
	p := patience{bell: q.sending.bell, spin: &alone}
	defer p.stop()
	for {
		flushed, err := q.isFlushed()
		if err == nil && !flushed {
			err = q.peers.wait(ctx, &p, empty)
		}
		if flushed || err != nil {
			return q.check("flush", err)
		}
	}
}

func (q *Queue) isFlushed() (flushed bool, err error) {
	err = q.view.Guard(func() error {
		flushed = q.load(loadEnd(&q.receive.end).position()) == 0
		return nil
	})
	if flushed || err != nil {
		return flushed, err
	}
	return q.peers.exist()
}
