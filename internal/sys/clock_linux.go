package sys

import (
	"time"

	"golang.org/x/sys/unix"
)

// The system's clocks, read as package time does: without a system call, which
// unix.ClockGettime makes each time.

// MonotonicTime is the time of CLOCK_MONOTONIC in nanoseconds.
func MonotonicTime() int64 { return started.monotonic + int64(time.Since(started.time)) }

// Realtime is the time of day in nanoseconds, since 1970.
func Realtime() int64 { return time.Now().UnixNano() }

// started is one moment by both accounts: package time counts by the same
// clock, but does not tell from when on.
var started = sameMoment()

type moment struct {
	monotonic int64
	time      time.Time
}

// sameMoment reads both in the same moment, or the time a little later, so that
// nothing is early: the attempt that took the least time is the best.
func sameMoment() (best moment) {
	const attempts = 10
	shortest := time.Duration(0)
	for i := range attempts {
		before := time.Now()
		var now unix.Timespec
		_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // fails only for unknown clocks
		after := time.Now()
		if took := after.Sub(before); i == 0 || took < shortest {
			best, shortest = moment{now.Nano(), after}, took
		}
	}
	return best
}
