package objmgr

import (
	"os"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/object"
)

// Others know a handle that has an object by its token and, if the object is a
// mutex, by the number of a thread. A handle gets both when it first needs them.
// Many handles never do: those that set events, and those that wait until the owner
// of a mutex dies. So opening and closing such an object saves two system calls,
// and touches no memory, which costs more than all other calls together.

// mine returns the state of a mutex that this handle has locked, or 0 if it has
// no identity yet. Its token is that of the handle, whatever the object's kind.
func (s *Sync) mine() layout.State { return layout.State(s.identity.Load()) }

func (s *Sync) token() uint32 { return s.mine().Token() }

// identify gives the handle its identity, unless it has one.
func (s *Sync) identify() error {
	if s.mine() != 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mine() != 0 {
		return nil
	}
	if s.closed.Load() {
		return os.ErrClosed
	}
	var owner uint32
	if s.kind == object.Mutex {
		var err error
		if owner, err = s.keep(); err != nil {
			return err
		}
	}
	token, err := s.takeToken()
	if err == nil {
		s.identity.Store(uint64(layout.NewState(token, owner)))
	}
	return err
}

// anonymous reports whether the handle lacks the identity that it needs to take
// the object. A compare-and-swap is enough to take events and semaphores, unless
// those are tracked: then the handle has one from the first.
func (s *Sync) anonymous() bool {
	return s.mine() == 0 && (s.kind == object.Mutex || s.kind == object.Timer)
}
