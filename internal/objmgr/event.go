package objmgr

import "github.com/filemap-go/filemap/internal/layout"

// SetEvent signals an event.
func (s *Sync) SetEvent() error {
	return s.change(func(old layout.State) (layout.State, error) {
		return old.Without(layout.EventPulsed).With(layout.EventSignaled), nil
	})
}

// ResetEvent takes an event's signal away.
func (s *Sync) ResetEvent() error {
	// Not under a claim: whoever takes several objects has seen the signal.
	return s.changeUnclaimed(func(old layout.State) layout.State {
		return old.Without(layout.EventSignaled | layout.EventPulsed)
	})
}

// PulseEvent lets those go on who wait at this moment, one of them if the
// event resets itself, and leaves it without a signal. Each of them sees that
// the count of pulses is no longer what it was when its wait began, so that
// none misses it, however late it looks.
func (s *Sync) PulseEvent() error {
	return s.changeUnclaimed(func(old layout.State) layout.State {
		return old.Without(layout.EventSignaled).With(layout.EventPulsed).
			Bump(layout.EventPulse, layout.EventPulses)
	})
}

// pulses returns the count of pulses.
func pulses(st layout.State) uint32 { return st.Low() & layout.EventPulses }
