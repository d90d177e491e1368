package main

import (
	"fmt"
	"io"
	"time"

	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/object"
)

// state returns, for programs, what changes while an object lives: of a
// mapping, nothing.
func state(o inspect.Object) map[string]any {
	s := o.State
	switch o.Kind {
	case object.Event.String():
		return map[string]any{"signaled": s.Signaled, "manual_reset": s.Manual, "waiters": s.Waiters}
	case object.Semaphore.String():
		return map[string]any{"count": s.Count, "max": s.Max, "waiters": s.Waiters}
	case object.Mutex.String():
		return map[string]any{"owner": s.Owner, "locked": !s.Signaled, "abandoned": s.Abandoned, "waiters": s.Waiters}
	case object.Timer.String():
		due := any(nil)
		if !s.Due.IsZero() {
			due = s.Due.Format(time.RFC3339Nano)
		}
		return map[string]any{
			"signaled": s.Signaled, "manual_reset": s.Manual, "due": due,
			"period": s.Period.String(), "waiters": s.Waiters,
		}
	}
	return map[string]any{}
}

// printState writes the same for people, a row each.
func printState(w io.Writer, o inspect.Object) {
	row := func(label string, value any) { fmt.Fprintf(w, "%s\t%v\n", label, value) }
	s := o.State
	switch o.Kind {
	case object.Event.String():
		row("signaled", yesNo(s.Signaled))
		row("manual reset", yesNo(s.Manual))
	case object.Semaphore.String():
		row("count", fmt.Sprintf("%d of %d", s.Count, s.Max))
	case object.Mutex.String():
		row("owner", describeOwner(s))
	case object.Timer.String():
		row("signaled", yesNo(s.Signaled))
		row("manual reset", yesNo(s.Manual))
		row("due", describeDue(s))
	default:
		return
	}
	row("waiters", yesNo(s.Waiters))
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func describeOwner(s inspect.State) string {
	switch {
	case s.Abandoned:
		return "- (abandoned)"
	case s.Signaled:
		return "-"
	case s.Owner == 0:
		return "unknown"
	}
	return fmt.Sprint(s.Owner)
}

func describeDue(s inspect.State) string {
	switch {
	case s.Due.IsZero():
		return "never"
	case s.Period > 0:
		return fmt.Sprintf("%s, then every %v", s.Due.Format(time.RFC3339), s.Period)
	}
	return s.Due.Format(time.RFC3339)
}
