package objmgr

import (
	"sync/atomic"
	"time"

	"github.com/filemap-go/filemap/object"
)

// A name can be removed under its holders, by rm(1) or by a login manager that
// clears away a user's files. Processes that come later then make an object of
// their own under the name, and a lock of the old one no longer excludes them.
// So holders look whether the file still has a name, whenever they lock and
// unlock. A look is a system call, which costs ten times as much as a lock that
// nobody contends for: so after spotChecks looks, a handle trusts what it saw
// for the rest of a round.
const (
	spotChecks = 64
	roundTime  = 50 * time.Millisecond
)

// round is the number of the round, from 1 on. A round ends only if some handle
// trusts it, so that nothing runs while locks are quiet.
var round atomic.Uint32

var (
	roundEnds  *time.Timer
	roundAlarm atomic.Bool // roundEnds is set
)

// The timer is made here, outside of any testing/synctest bubble: it goes by
// the real time, and outlives the bubble that first sets it.
func init() {
	round.Store(1)
	roundEnds = time.AfterFunc(time.Hour, func() {
		roundAlarm.Store(false)
		round.Add(1)
	})
	roundEnds.Stop()
}

// spots is what a handle knows of its name.
type spots struct {
	trusted atomic.Uint32 // the round in which the handle does not look
	looks   atomic.Uint32 // since then
}

// SpotCheck returns [object.ErrNameLost] if the object had a name, and its file
// has none any more. A caller that hardly pauses is answered from an earlier look
// most of the time.
func (s *Sync) SpotCheck() error {
	if s.spots.trusted.Load() == round.Load() {
		return nil
	}
	return s.look()
}

func (s *Sync) look() error {
	if s.file == "" {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed.Load() {
		return nil
	}
	stat, err := s.m.host.Stat(s.fd)
	switch {
	case err != nil:
		return err
	case stat.Links == 0:
		return object.ErrNameLost
	}
	s.spots.count()
	return nil
}

// count counts a look. Goroutines of one handle may lose a few: that is no harm.
func (s *spots) count() {
	now := round.Load()
	if s.looks.Add(1) < spotChecks {
		return
	}
	s.looks.Store(0)
	s.trusted.Store(now)
	if roundAlarm.CompareAndSwap(false, true) {
		roundEnds.Reset(roundTime)
	}
}
