package kernel

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/filemap-go/filemap/internal/objmgr"
	"github.com/filemap-go/filemap/internal/sys"
)

// Parking blocks a goroutine until a word of shared memory changes. A few at a
// time block their threads, which is the fastest. The others leave their words
// to parkers, threads that wait for up to 126 words each.

const (
	directMax = 64 // goroutines that block a thread of their own

	// backstop is how long a wait lasts at the most before it looks at the
	// words again: a process that changes one may be killed before it wakes
	// who waits.
	backstop = 250 * time.Millisecond
)

var directWaits atomic.Int32

// Park implements objmgr.Memory.
func (h host) Park(ctx context.Context, words []objmgr.Parked, until int64) {
	if ctx.Err() != nil {
		return
	}
	if directWaits.Add(1) <= directMax && len(words) < sys.FutexWordsMax {
		defer directWaits.Add(-1)
		parkDirect(ctx, words, until)
		return
	}
	directWaits.Add(-1)
	parkPooled(ctx, words, until)
}

// waitVector waits for a vector of words, until a time or the backstop. Why it
// ends does not matter: whoever waits looks at the words again.
func waitVector(v *sys.FutexVector, until int64) {
	limit := sys.MonotonicTime() + int64(lasting(until))
	switch sys.FutexWaitv(v, limit) {
	case sys.ENOSYS, sys.EPERM, sys.EACCES, sys.EINVAL:
		// Before Linux 5.16, or in a sandbox: look now and then.
		time.Sleep(min(unvectoredPause, time.Duration(limit-sys.MonotonicTime())))
	}
}

// lasting returns how long a wait lasts at the most.
func lasting(until int64) time.Duration {
	if until == 0 {
		return backstop
	}
	return min(backstop, time.Duration(max(0, until-monotonic())))
}

// unvectoredPause is how often words are looked at where the system can't wait
// for several.
const unvectoredPause = time.Millisecond

// PIDNamespace implements objmgr.Memory. Where the system does not tell, no
// process shares the namespace.
func (h host) PIDNamespace() uint32 { return pidNamespace() }

var pidNamespace = sync.OnceValue(func() uint32 {
	stat, err := sys.StatPath("/proc/self/ns/pid")
	if err != nil {
		return 0
	}
	return uint32(stat.Ino)
})
