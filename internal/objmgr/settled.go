package objmgr

import (
	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/object"
)

// settled returns the control page with a mutex as the next handle would find
// it: free if its owner died, whether or not the system has marked the state,
// and locked if another process has the token of an owner that was marked.
func (o *Object) settled() (c layout.Control, err error) {
	for range settledAttempts {
		c, err = o.control()
		died := c.State.Has(layout.MutexDied)
		if err != nil || c.Kind != object.Mutex || !died && c.State.Low()&layout.MutexOwner == 0 {
			return c, err
		}
		locked, err := o.m.host.ByteLocked(o.fd, layout.TokenByte+int64(c.State.Token()))
		lives := locked || err != nil
		waiters := c.State.Low() & layout.StateWaiters
		if lives && died && c.Flags&layout.TrustTokens != 0 {
			c.State = layout.NewState(c.State.Token(), layout.OwnerUnknown|waiters)
			return c, nil
		}
		if lives && !died {
			return c, nil
		}
		// It died, unless it unlocked the mutex between the two looks.
		if again, err := o.control(); err == nil && again.State == c.State {
			c.State = layout.NewState(0, layout.MutexAbandoned|waiters)
			return c, nil
		}
	}
	return c, err
}

// settledAttempts bounds how often a mutex changes hands during a look.
const settledAttempts = 10
