package channel

import (
	"context"
	"sync/atomic"
)

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
			_, err = p.wait(ctx, nil)
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
	return q.hasPeer()
}

// hasPeer reports whether somebody else holds a place.
func (q *Queue) hasPeer() (found bool, err error) {
	places, err := q.places()
	if err != nil {
		return false, err
	}
	for i := range places {
		number := uint16(i + 1)
		if number == q.member.number || !q.isTaken(&places[i]) {
			continue
		}
		mutex, hold, dead, err := q.lockPlace(number)
		if err != nil || !dead {
			return err == nil, err
		}
		_ = hold.Unlock()
		_ = mutex.Close()
	}
	return false, nil
}

func (q *Queue) isTaken(p *place) (taken bool) {
	_ = q.view.Guard(func() error {
		taken = atomic.LoadUint64(&p.process) != 0
		return nil
	})
	return taken
}
