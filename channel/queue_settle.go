package channel

import "context"

// Settle waits until closing this handle loses no message: until the queue is
// empty, or another handle, of any process, has it open. If ctx ends first, or has
// ended, the error wraps context.Cause(ctx).
func (q *Queue) Settle(ctx context.Context) error {
	alone := spin{option: SpinNever}
	p := patience{bell: q.sending.bell, spin: &alone}
	defer p.end()
	for {
		settled, err := q.isSettled()
		if err == nil && !settled {
			err = q.peers.wait(ctx, &p, empty)
		}
		if settled || err != nil {
			return q.check("wait", err)
		}
	}
}

func (q *Queue) isSettled() (settled bool, err error) {
	err = q.view.Guard(func() error {
		settled = q.load(loadEnd(&q.receive.end).position()) == 0
		return nil
	})
	if settled || err != nil {
		return settled, err
	}
	return q.peers.exist()
}
