package objmgr

import (
	"math"

	"github.com/filemap-go/filemap/internal/layout"
)

// Nobody makes a timer fire: whoever looks computes whether it has. Who waits
// sleeps until it is due at the latest.

// Schedule is when a timer is due. Due 0 is never.
type Schedule struct {
	Clock  uint64
	Due    int64 // nanoseconds of the clock
	Period int64 // nanoseconds; 0 for once
}

// SetTimer takes the timer's signal away and sets when it is due. Due 0 keeps
// the signal and makes it due never more.
func (s *Sync) SetTimer(schedule Schedule) error {
	claimed, err := s.claim(busyTime)
	if err != nil {
		return err
	}
	next := claimed.Without(layout.TimerExpired)
	if schedule.Due == 0 && s.expired(claimed) {
		next = claimed.With(layout.TimerExpired)
	}
	due := s.page.Word(layout.DueAt)
	due.Store(0) // not due by half of a schedule
	s.page.Word(layout.PeriodAt).Store(uint64(schedule.Period))
	s.page.Word(layout.ClockAt).Store(schedule.Clock)
	due.Store(uint64(schedule.Due))
	return s.unclaimTimer(claimed, next)
}

// unclaimTimer ends the claim of a timer whose schedule has changed.
func (s *Sync) unclaimTimer(claimed, next layout.State) error {
	next = next.Bump(layout.TimerChange, layout.TimerChanges).WithToken(0)
	if !s.swapAndWake(claimed, next) {
		return s.corrupt() // nobody changes a timer that another has claimed
	}
	return nil
}

// schedule returns when the timer is due, which may be nonsense if the state
// is not the same before and after.
func (s *Sync) schedule() Schedule {
	at := Schedule{
		Clock:  s.page.Word(layout.ClockAt).Load(),
		Due:    int64(s.page.Word(layout.DueAt).Load()),
		Period: int64(s.page.Word(layout.PeriodAt).Load()),
	}
	if at.Clock != ClockRealtime {
		at.Clock = ClockMonotonic
	}
	return at
}

// expired reports whether the timer is signaled in a state.
func (s *Sync) expired(st layout.State) bool {
	if st.Has(layout.TimerExpired) {
		return true
	}
	at := s.schedule()
	return at.Due > 0 && s.m.host.Now(at.Clock) >= at.Due
}

// reschedule makes a timer that resets itself due the next time. The caller
// has claimed it. Periods that nobody took do not add up.
func (s *Sync) reschedule() {
	at := s.schedule()
	s.page.Word(layout.DueAt).Store(uint64(at.after(s.m.host.Now(at.Clock))))
}

// after returns the first time later than now that the timer is due.
func (at Schedule) after(now int64) int64 {
	if at.Period <= 0 || now < at.Due {
		return 0
	}
	periods := (now-at.Due)/at.Period + 1
	if periods > (math.MaxInt64-at.Due)/at.Period {
		return 0
	}
	return at.Due + periods*at.Period
}

// wakeTime returns when, in ClockMonotonic, a wait for the timer must look
// again, or 0. A clock that may be set is looked at now and then.
func (s *Sync) wakeTime() int64 {
	at := s.schedule()
	if at.Due <= 0 {
		return 0
	}
	now := s.m.host.Now(ClockMonotonic)
	if at.Clock == ClockMonotonic {
		return max(at.Due, 1)
	}
	left := at.Due - s.m.host.Now(ClockRealtime)
	return now + min(max(left, 0), realtimeLook)
}

// realtimeLook is how long, in nanoseconds, a change of the time of day may go
// unnoticed.
const realtimeLook = 250e6
