package objmgr

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/filemap-go/filemap/object"
)

// What another process has begun with an object, a claim of it or the making
// or removing of its file, takes a few instructions or system calls, unless the
// process is stopped in between. Nobody can go on in its place while it lives,
// so others wait: a call with a context until that ends, any other for busyTime.

// busyTime is how long a call without a context waits.
const busyTime = 2 * time.Second

// lastLook is how long a call whose context has ended waits for a claim to end:
// the object may have been signaled, and claimed only for a moment.
const lastLook = 20 * time.Millisecond

// contention is one call's wait for another process.
type contention struct {
	attempt int
	paused  time.Duration
}

// pause lets the other process go on.
func (c *contention) pause(host Host) {
	c.paused += host.Pause(c.attempt)
	c.attempt++
}

// wait pauses, and returns an error once it has lasted too long: until ctx ends,
// or for busyTime if that is noContext.
func (c *contention) wait(ctx context.Context, host Host) error {
	c.pause(host)
	switch {
	case ctx != noContext && ctx.Err() != nil:
		return context.Cause(ctx)
	case ctx == noContext && c.paused >= busyTime:
		return errBusy
	}
	return nil
}

// noContext is the context of calls that have none.
var noContext context.Context

// errBusy is an os.ErrDeadlineExceeded.
var errBusy = object.Explain(os.ErrDeadlineExceeded, "another process is in the way")

// busy explains an error by the process that has the object's file locked.
func (o *Object) busy(err error) error {
	stat, _ := o.m.host.StatName(o.file)
	who := o.m.describeLocker(stat.id(), WholeFile)
	return object.Explain(err, who+
		" is creating or removing this object and is not making progress: it may be stopped")
}

func (m *Manager) describeLocker(file FileID, pos int64) string {
	locker := m.host.Locker(file, pos)
	if locker.PID == 0 {
		return "another process"
	}
	user := ""
	if locker.UID != m.host.UID() {
		user = fmt.Sprintf(" of user %d", locker.UID)
	}
	return fmt.Sprintf("another process%s (pid %d, %s)", user, locker.PID, locker.Program)
}
