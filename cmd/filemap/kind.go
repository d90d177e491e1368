package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// syncOptions are the flags of create for objects that are no mappings.
type syncOptions struct {
	kind       string
	manual     bool
	signaled   bool
	tracked    bool
	count, max int
	due        time.Duration
	period     time.Duration
	security   *filemap.Security
}

// kindFlags are the flags that each kind has of its own.
var kindFlags = map[string][]string{
	"mapping":   {"size", "file", "sparse"},
	"event":     {"manual-reset", "signaled"},
	"semaphore": {"count", "max", "tracked"},
	"mutex":     {},
	"timer":     {"manual-reset", "due", "period"},
}

func (s *syncOptions) addFlags(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&s.kind, "kind", "mapping", "mapping, event, semaphore, mutex or timer")
	flags.BoolVar(&s.manual, "manual-reset", false, "event, timer: signaled until it is reset or set again")
	flags.BoolVar(&s.signaled, "signaled", false, "event: signaled from the start")
	flags.IntVar(&s.count, "count", 0, "semaphore: permits at the start")
	flags.IntVar(&s.max, "max", 0, "semaphore: permits at most (default: --count)")
	flags.BoolVar(&s.tracked, "tracked", false, "semaphore: permits of processes that died come back (Linux only)")
	flags.DurationVar(&s.due, "due", 0, "timer: signaled after so long")
	flags.DurationVar(&s.period, "period", 0, "timer: and then again, each time after so long")
}

// check returns an error for flags that are not the kind's.
func (s *syncOptions) check(c *cobra.Command) error {
	own, ok := kindFlags[s.kind]
	if !ok {
		return badUsage(c, "--kind is mapping, event, semaphore, mutex or timer, not %q", s.kind)
	}
	allowed := make(map[string]bool)
	for _, flag := range own {
		allowed[flag] = true
	}
	for kind, flags := range kindFlags {
		for _, flag := range flags {
			if c.Flags().Changed(flag) && !allowed[flag] {
				return badUsage(c, "--%s is for --kind %s, not %s", flag, kind, s.kind)
			}
		}
	}
	if s.kind == "mapping" && !c.Flags().Changed("size") {
		return badUsage(c, `required flag(s) "size" not set`)
	}
	if s.kind == "semaphore" && s.max == 0 {
		s.max = s.count
	}
	if s.kind == "semaphore" && (s.count < 0 || s.max < 1 || s.count > s.max) {
		return badUsage(c, "--count is 0 or more, --max at least 1 and at least --count")
	}
	if s.period < 0 || s.due < 0 {
		return badUsage(c, "--due and --period are not negative")
	}
	return nil
}

// createSync makes an object that is no mapping, and holds it until ENTER.
func createSync(c *cobra.Command, name string, s *syncOptions) error {
	o, err := s.create(name)
	if err != nil {
		return err
	}
	defer o.Close()
	native, err := filemap.NativeName(name)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.OutOrStdout(), "The %s (%s) is created: at %s\n", s.kind, printable(o.Name()), printable(native))
	fmt.Fprintln(c.OutOrStdout(), "Press ENTER to clean up resources and quit")
	untilEnter(c.Context(), c.InOrStdin())
	return nil
}

func (s *syncOptions) create(name string) (anyObject, error) {
	switch s.kind {
	case object.Event.String():
		return opened(waitable.CreateEvent(name, &waitable.EventOptions{
			ManualReset: s.manual, Signaled: s.signaled, Security: s.security,
		}))
	case object.Semaphore.String():
		return opened(waitable.CreateSemaphore(name, s.count, s.max,
			&waitable.SemaphoreOptions{Tracked: s.tracked, Security: s.security}))
	case object.Mutex.String():
		return opened(waitable.CreateMutex(name, &waitable.MutexOptions{Security: s.security}))
	}
	timer, err := waitable.CreateTimer(name, &waitable.TimerOptions{
		ManualReset: s.manual, Security: s.security,
	})
	if err == nil && s.due+s.period > 0 {
		err = timer.SetAfter(s.due, s.period)
	}
	return opened(timer, err)
}

// opened keeps a nil pointer from becoming an object.
func opened[T anyObject](o T, err error) (anyObject, error) {
	if err != nil {
		return nil, err
	}
	return o, nil
}
