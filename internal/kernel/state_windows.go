package kernel

import (
	"math"
	"time"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// stateOf returns the state of a synchronization object. The system tells
// nobody of a timer's period, whether the timer resets itself, and which processes wait.
func stateOf(name object.Name, kind object.Kind) (state State, err error) {
	handle, err := opener(name, kind)(sys.QUERY_STATE)
	if err != nil {
		return State{}, err
	}
	defer sys.CloseHandle(handle)
	state.Unknown.Waiters = true
	switch kind {
	case object.Mutex:
		err = state.queryMutex(handle)
	case object.Semaphore:
		var info sys.SemaphoreInfo
		info, err = sys.QuerySemaphore(handle)
		state.Signaled, state.Count, state.Max = info.Count > 0, int(info.Count), int(info.Max)
	case object.Event:
		var info sys.EventInfo
		info, err = sys.QueryEvent(handle)
		state.Signaled, state.Manual = info.State != 0, info.AutoReset == 0
	case object.Timer:
		err = state.queryTimer(handle)
	}
	return state, err
}

func (s *State) queryMutex(handle sys.Handle) error {
	info, err := sys.QueryMutex(handle)
	if err != nil {
		return err
	}
	s.Signaled, s.Abandoned = info.Count > 0, info.Abandoned
	if !s.Signaled {
		s.Owner, _ = sys.QueryMutexOwner(handle) // 0 is for one that is unknown
	}
	return nil
}

func (s *State) queryTimer(handle sys.Handle) error {
	info, err := sys.QueryTimer(handle)
	if err != nil {
		return err
	}
	s.Unknown.Manual, s.Unknown.Period = true, true
	s.Signaled = info.Signaled
	if info.Remaining > 0 {
		const most = math.MaxInt64 / 100
		s.Due = time.Now().Add(time.Duration(min(info.Remaining, most)) * 100)
	}
	return nil
}
