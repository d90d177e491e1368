package mem

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// retired is the address range of a closed region that nothing in this
// process's Go code refers to any more, except for raw slices if exposed.
type retired struct {
	mapped  []byte
	backing Backing
	exposed bool
}

// A raw slice may outlive its region, and the garbage collector cannot tell.
// So the addresses of exposed regions stay taken, and a stale slice faults
// instead of showing somebody else's memory. Taken addresses cost no memory,
// but the system's supply of them ends some day: past these limits the oldest
// are given back.
const (
	quarantineRanges = 4096
	quarantineBytes  = 1 << 40
)

var quarantine struct {
	sync.Mutex
	ranges []retired
	bytes  uint64
}

// retire runs when a closed region has become unreachable.
func retire(old retired) {
	if !old.exposed {
		old.backing.Release(old.mapped)
		return
	}
	q := &quarantine
	q.Lock()
	defer q.Unlock()
	q.ranges = append(q.ranges, old)
	q.bytes += uint64(len(old.mapped))
	releaseOldest(quarantineRanges, quarantineBytes)
}

// releaseOldest gives addresses back until those that stay taken are within
// limits. The caller has locked the quarantine.
func releaseOldest(ranges int, bytes uint64) {
	q := &quarantine
	for len(q.ranges) > ranges || q.bytes > bytes {
		oldest := q.ranges[0]
		q.ranges = q.ranges[1:]
		q.bytes -= uint64(len(oldest.mapped))
		oldest.backing.Release(oldest.mapped)
	}
}

// awaited counts what WhenUnreachable has yet to call.
var awaited atomic.Int64

// WhenUnreachable calls release some time after nothing refers to owner any
// more, which release must not do either.
func WhenUnreachable[T any](owner *T, release func()) {
	awaited.Add(1)
	runtime.AddCleanup(owner, func(release func()) {
		release()
		awaited.Add(-1)
	}, release)
}

// Reclaim gives back the addresses that closed regions still take, and calls
// enough after each part of that until it reports true. It is for when the
// system has no addresses left: stale slices are then on their own.
func Reclaim(enough func() bool) {
	const most, pause = 100, time.Millisecond
	for i := range most {
		unreached := awaited.Load() // the collector's goroutines release them
		quarantine.Lock()
		releaseOldest(0, 0)
		quarantine.Unlock()
		if enough() || unreached == 0 {
			return
		}
		if i == 0 {
			runtime.GC() // only now: without room for maps of its own it may crash
		}
		time.Sleep(pause)
	}
}
