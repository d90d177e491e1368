package test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/waitable"
)

// TestTimerInFarFuture sets timers for times that 64 bits of nanoseconds, or
// Windows' units since 1601, may not hold.
func TestTimerInFarFuture(t *testing.T) {
	ns := filemaptest.New(t)
	timer, err := waitable.CreateTimer(ns.Name("T"), nil)
	succeed(t, "CreateTimer", err)
	closeLater(t, timer)
	const longest = time.Duration(1<<63 - 1)
	for what, set := range map[string]func() error{
		"the year 2263":    func() error { return timer.SetAt(time.Date(2263, 1, 1, 0, 0, 0, 0, time.UTC), 0) },
		"the year 9999":    func() error { return timer.SetAt(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), time.Second) },
		"the last time":    func() error { return timer.SetAt(time.Unix(1<<62, 0), 0) },
		"after 292 years":  func() error { return timer.SetAfter(longest, 0) },
		"and periodically": func() error { return timer.SetAfter(longest-1, time.Hour) },
	} {
		succeed(t, what, set())
		if signaled, err := timer.TryWait(); signaled || err != nil {
			t.Errorf("%s: TryWait = %v, %v, want false", what, signaled, err)
		}
		info, err := inspect.Find(t.Context(), ns.Name("T"))
		succeed(t, "Find", err)
		soon := !info.State.Due.IsZero() && info.State.Due.Before(time.Now().AddDate(200, 0, 0))
		if info.State.Signaled || soon {
			t.Errorf("%s: the state is %+v, want it due in centuries", what, info.State)
		}
	}
	succeed(t, "SetAt the year 1", timer.SetAt(time.Time{}.Add(time.Hour), 0))
	succeed(t, "Wait for a time that has passed", timer.Wait(t.Context()))
}

// TestTimerInTimeNamespaces sets a timer in one time namespace and waits for it
// in another, whose clock is a day ahead or behind.
func TestTimerInTimeNamespaces(t *testing.T) {
	linuxOnly(t, "it has no time namespaces")
	if os.Getuid() != 0 {
		t.Skip("needs root for a time namespace")
	}
	for _, offset := range []string{"86400", "-100"} {
		ns := filemaptest.New(t)
		timer, err := waitable.CreateTimer(ns.Name("T"), nil)
		succeed(t, "CreateTimer", err)
		closeLater(t, timer)
		for _, set := range []string{"here", "there"} {
			const after = time.Second
			if set == "here" {
				succeed(t, "SetAfter", timer.SetAfter(after, 0))
			}
			begun := time.Now()
			cmd := inRole("timer", "unshare", "--time", "--monotonic", offset, "--fork",
				thisBinary(t), ns.Name("T"), set, after.String())
			if err := cmd.Run(); err != nil {
				if errors.Is(err, exec.ErrNotFound) {
					t.Skip("needs unshare")
				}
				t.Fatalf("set %s, offset %s: %v", set, offset, err)
			}
			if set == "there" {
				patient, cancel := context.WithTimeout(t.Context(), watchdog/2)
				succeed(t, "Wait", timer.Wait(patient))
				cancel()
			}
			if took := time.Since(begun); took < after-100*time.Millisecond {
				t.Errorf("set %s, offset %s: fired after %v, want %v", set, offset, took, after)
			}
		}
	}
}

// useTimer waits for a timer that was set elsewhere, or sets it.
func useTimer(arguments []string) error {
	timer, err := waitable.OpenTimer(arguments[0])
	if err != nil {
		return err
	}
	after, err := time.ParseDuration(arguments[2])
	if err != nil {
		return err
	}
	if arguments[1] == "there" {
		return errors.Join(timer.SetAfter(after, 0), timer.Close())
	}
	begun := time.Now()
	for time.Since(begun) < watchdog/2 {
		if ok, err := timer.TryWait(); ok || err != nil {
			return errors.Join(err, timer.Close())
		}
		time.Sleep(time.Millisecond)
	}
	return fmt.Errorf("the timer has not fired after %v", time.Since(begun))
}
