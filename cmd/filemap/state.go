package main

import (
	"fmt"
	"io"
	"time"

	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/object"
)

// state returns, for programs, what changes while an object lives: of a
// mapping, nothing. What is unknown is null, or all of it left out.
func state(o inspect.Object) map[string]any {
	s := o.State
	if o.Denied {
		return map[string]any{}
	}
	waiters := known(s.Waiters, s.Unknown.Waiters)
	switch o.Kind {
	case object.Event.String():
		return map[string]any{"signaled": s.Signaled, "manual_reset": s.Manual, "waiters": waiters}
	case object.Semaphore.String():
		return map[string]any{"count": s.Count, "max": s.Max, "waiters": waiters}
	case object.Mutex.String():
		return map[string]any{
			"owner": known(s.Owner, ownerUnknown(s)), "locked": !s.Signaled,
			"abandoned": s.Abandoned, "waiters": waiters,
		}
	case object.Timer.String():
		return map[string]any{
			"signaled": s.Signaled, "manual_reset": known(s.Manual, s.Unknown.Manual),
			"due":    known(s.Due.Format(time.RFC3339Nano), s.Due.IsZero()),
			"period": known(s.Period.String(), s.Unknown.Period), "waiters": waiters,
		}
	case object.Job.String():
		return jobState(o.Name)
	}
	return map[string]any{}
}

// known returns a value for JSON: null if it is unknown.
func known(value any, unknown bool) any {
	if unknown {
		return nil
	}
	return value
}

func ownerUnknown(s inspect.State) bool { return !s.Signaled && s.Owner == 0 }

// unknownDenied stands for what this user may not know.
const unknownDenied = "unknown (access denied)"

// printState writes the same for people, a row each.
func printState(w io.Writer, o inspect.Object) {
	row := func(label string, value any) { fmt.Fprintf(w, "%s\t%v\n", label, value) }
	s := o.State
	switch o.Kind {
	case object.Event.String(), object.Semaphore.String(),
		object.Mutex.String(), object.Timer.String(), object.Job.String():
		if o.Denied {
			row("state", unknownDenied)
			return
		}
	}
	switch o.Kind {
	case object.Event.String():
		row("signaled", yesNo(s.Signaled, false))
		row("manual reset", yesNo(s.Manual, false))
	case object.Semaphore.String():
		row("count", fmt.Sprintf("%d of %d", s.Count, s.Max))
	case object.Mutex.String():
		row("owner", describeOwner(s))
	case object.Timer.String():
		row("signaled", yesNo(s.Signaled, false))
		row("manual reset", yesNo(s.Manual, s.Unknown.Manual))
		row("due", describeDue(s))
	case object.Job.String():
		printJobState(row, o.Name)
		return
	default:
		return
	}
	row("waiters", yesNo(s.Waiters, s.Unknown.Waiters))
}

func yesNo(b, unknown bool) string {
	switch {
	case unknown:
		return "unknown"
	case b:
		return "yes"
	}
	return "no"
}

func describeOwner(s inspect.State) string {
	switch {
	case ownerUnknown(s):
		return "unknown"
	case s.Abandoned:
		return "- (abandoned)"
	case s.Signaled:
		return "-"
	}
	return fmt.Sprint(s.Owner)
}

func describeDue(s inspect.State) string {
	switch {
	case s.Due.IsZero():
		return "never"
	case s.Unknown.Period:
		return s.Due.Format(time.RFC3339) + " (period unknown)"
	case s.Period > 0:
		return fmt.Sprintf("%s, then every %v", s.Due.Format(time.RFC3339), s.Period)
	}
	return s.Due.Format(time.RFC3339)
}
