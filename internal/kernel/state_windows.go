package kernel

import (
	"math"
	"time"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// stateOf returns the state of a synchronization object, as far as the system
// tells this user. It tells nobody of a timer's period, whether the timer
// resets itself, and who waits.
func stateOf(name object.Name, kind object.Kind) State {
	handle, err := openObject(name, kind, sys.QUERY_STATE)
	if err != nil {
		return State{}
	}
	defer sys.CloseHandle(handle)
	switch kind {
	case object.Mutex:
		info, err := sys.QueryMutex(handle)
		owner, _ := sys.QueryMutexOwner(handle)
		return State{
			Signaled: err == nil && info.Count > 0, Abandoned: info.Abandoned, Owner: owner,
		}
	case object.Semaphore:
		info, _ := sys.QuerySemaphore(handle)
		return State{Signaled: info.Count > 0, Count: int(info.Count), Max: int(info.Max)}
	case object.Event:
		info, err := sys.QueryEvent(handle)
		return State{Signaled: info.State != 0, Manual: err == nil && info.AutoReset == 0}
	}
	info, _ := sys.QueryTimer(handle)
	state := State{Signaled: info.Signaled}
	if info.Remaining > 0 {
		const most = math.MaxInt64 / 100
		state.Due = time.Now().Add(time.Duration(min(info.Remaining, most)) * 100)
	}
	return state
}
