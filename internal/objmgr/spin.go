package objmgr

import "github.com/filemap-go/filemap/object"

// Most mutexes are held for less time than it takes to sleep and to be woken. So a
// wait for one spins first: it looks again and again.
//
// A process that locks a mutex as often as it can leaves it free only for moments,
// and each look of another takes the mutex's cache line away from it. So there are
// a few looks with long pauses. Then the wait marks the state, as one that parks:
// when the owner unlocks a marked mutex it makes a system call, and a look in the
// meantime finds the mutex free. Two processes that fight for a mutex so take
// turns of some microseconds, and neither sleeps.
const (
	spinLooks   = 4
	spinTurns   = 3000 // of an empty loop, before each: about a microsecond
	markedLooks = 40
	markedTurns = 100
)

// spin takes a mutex if it comes free in a moment.
func (s *Sync) spin(since uint32) (got Taken, ok bool) {
	// A goroutine that has locked it through this handle may need the processor to
	// unlock it.
	if s.kind != object.Mutex || s.owns(s.load()) {
		return Taken{}, false
	}
	turns := spinTurns
	for look := 1; look <= spinLooks+markedLooks && s.m.host.Spin(turns); look++ {
		switch got, v := s.try(since); v {
		case taken:
			return got, true
		case unidentified:
			return Taken{}, false
		}
		if look == spinLooks {
			s.arm(since)
			turns = markedTurns
		}
	}
	return Taken{}, false
}
