package mem

import "sync"

// retired is the address range of a closed region that nothing in this
// process's Go code refers to any more, but for raw slices if exposed.
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
	for len(q.ranges) > quarantineRanges || q.bytes > quarantineBytes {
		oldest := q.ranges[0]
		q.ranges = q.ranges[1:]
		q.bytes -= uint64(len(oldest.mapped))
		oldest.backing.Release(oldest.mapped)
	}
}
