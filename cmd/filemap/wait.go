package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/waitable"
)

func newWait() *cobra.Command {
	w := waiter{timeout: never}
	c := &cobra.Command{
		Use:   "wait NAME...",
		Short: "Wait until an object is signaled, and take it",
		Long: `Wait until one of the objects is signaled (with --all: until all are), take it as a
wait does, and print its name. A wait takes a permit of a semaphore, resets an auto-reset
event or timer, and locks a mutex, which is unlocked again when filemap ends: see
'filemap lock' for holding one. A job is signaled while it has no members, and when it is
gone: see 'filemap job wait'.

With --timeout, objects need not exist yet: it waits for them, too. Without it, a name that
does not exist is an error.`,
		Example: `  filemap wait 'Local\Ready' --timeout 10s
  filemap wait 'Local\Ready' 'Local\Quit'`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeNames(1<<10, "event", "mutex", "semaphore", "timer", "job"),
	}
	c.Flags().BoolVar(&w.all, "all", false, "wait until all are signaled, and take all at once")
	c.Flags().Var(&w.timeout, "timeout",
		"wait for missing objects, too, and give up after this time (exit code 124); 0 does not wait")
	c.RunE = func(c *cobra.Command, args []string) error {
		defer catchSignals(c)()
		ctx, cancel := within(c.Context(), w.timeout)
		defer cancel()
		w.names, w.objects = args, make([]waitable.Object, len(args))
		defer w.close()
		result, err := w.wait(ctx)
		if err != nil {
			return err
		}
		return w.print(c, result)
	}
	return c
}

// within returns a context that ends after a time.
func within(ctx context.Context, timeout duration) (context.Context, context.CancelFunc) {
	if timeout == never {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, time.Duration(timeout))
}

// waiter waits for objects by their names.
type waiter struct {
	all     bool
	timeout duration
	names   []string
	objects []waitable.Object // a waitable.Name for one that does not exist yet
}

// wait waits until an object is signaled, or all are. While some do not exist, a wait
// also ends when one of them comes to exist, and there is another one.
func (w *waiter) wait(ctx context.Context) (waitable.Result, error) {
	for {
		if err := w.open(); err != nil {
			return waitable.Result{}, err
		}
		missing := w.missing()
		waitFor, objects := waitable.Any, w.objects
		if w.all {
			waitFor = waitable.All
		}
		if w.all && len(missing) > 0 {
			objects = missing
		}
		result, err := waitFor(ctx, objects...)
		switch {
		case errors.Is(err, context.DeadlineExceeded) && len(missing) > 0:
			return result, hinted{err, "no process has " + joinNames(missing) + " open"}
		case err != nil, len(missing) == 0:
			return result, err
		case !w.all && !isMissing(w.objects[result.Index]):
			return result, nil
		}
	}
}

// open opens the objects that are not open yet, as far as they exist.
func (w *waiter) open() error {
	for i, name := range w.names {
		if !isMissing(w.objects[i]) {
			continue
		}
		o, err := openAny(name)
		switch {
		case err == nil:
			w.objects[i] = o
		case !errors.Is(err, fs.ErrNotExist):
			return err
		case w.timeout == never:
			return explainMissing(name, err)
		default:
			w.objects[i] = waitable.Name(name)
		}
	}
	return nil
}

func (w *waiter) close() {
	for _, o := range w.objects {
		if open, ok := o.(anyObject); ok {
			open.Close()
		}
	}
}

func (w *waiter) missing() []waitable.Object {
	return slices.DeleteFunc(slices.Clone(w.objects), func(o waitable.Object) bool {
		return !isMissing(o)
	})
}

// isMissing reports whether an object is not open.
func isMissing(o waitable.Object) bool {
	_, open := o.(anyObject)
	return !open
}

func joinNames(objects []waitable.Object) string {
	var names []string
	for _, o := range objects {
		names = append(names, printable(o.Name()))
	}
	return strings.Join(names, ", ")
}

// print prints what the wait took, and unlocks mutexes.
func (w *waiter) print(c *cobra.Command, result waitable.Result) error {
	for i, o := range w.objects {
		if !w.all && i != result.Index {
			continue
		}
		note := ""
		if len(result.Holds) > 0 && result.Holds[i].Abandoned() {
			note = " (abandoned)"
		}
		fmt.Fprintf(c.OutOrStdout(), "%s%s\n", printable(o.Name()), note)
	}
	for _, hold := range result.Holds {
		_ = hold.Unlock() // those of other kinds are not holds
	}
	return nil
}
