package kernel

import (
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/filemap-go/filemap/internal/objmgr"
	"github.com/filemap-go/filemap/internal/sys"
)

// Now implements objmgr.Memory.
func (h host) Now(clock uint64) int64 {
	if clock == objmgr.ClockRealtime {
		return sys.Realtime()
	}
	return monotonic()
}

// monotonic is the time of CLOCK_MONOTONIC where the machine started: processes
// of different time namespaces, as in containers that were moved, see that clock
// with different offsets, and share timers.
func monotonic() int64 { return sys.MonotonicTime() - timeOffset() }

// timeOffset returns what this process's time namespace adds to the clock:
// time_namespaces(7). Systems without such namespaces add nothing.
var timeOffset = sync.OnceValue(func() int64 {
	text, err := os.ReadFile("/proc/self/timens_offsets")
	if err != nil {
		return 0
	}
	return parseTimeOffset(string(text))
})

func parseTimeOffset(offsets string) int64 {
	for line := range strings.Lines(offsets) {
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[0] != "monotonic" {
			continue
		}
		seconds, err := strconv.ParseInt(fields[1], 10, 64)
		nanoseconds, nanoErr := strconv.ParseInt(fields[2], 10, 64)
		if err == nil && nanoErr == nil {
			return seconds*1e9 + nanoseconds
		}
	}
	return 0
}
