package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/waitable"
)

func newWait() *cobra.Command {
	var all bool
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "wait NAME...",
		Short: "Wait until an object is signaled, and take it",
		Long: `Wait until one of the objects is signaled (with --all: until all are), take it as a
wait does, and print its name. A wait takes a permit of a semaphore, resets an auto-reset
event or timer, and locks a mutex, which is unlocked again when filemap ends: see
'filemap lock' for holding one.`,
		Example: `  filemap wait 'Local\Ready' --timeout 10s
  filemap wait 'Local\Ready' 'Local\Quit'`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeNames(1 << 10),
	}
	c.Flags().BoolVar(&all, "all", false, "wait until all are signaled, and take all at once")
	c.Flags().DurationVar(&timeout, "timeout", -1, "give up after so long (exit code 124); 0 does not wait")
	c.RunE = func(c *cobra.Command, args []string) error {
		defer catchSignals(c)()
		ctx, cancel := within(c.Context(), timeout)
		defer cancel()
		return wait(ctx, c, args, all)
	}
	return c
}

// within returns a context that ends after a time, or never if it is negative.
func within(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout < 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, timeout)
}

func wait(ctx context.Context, c *cobra.Command, names []string, all bool) error {
	var objects []waitable.Object
	for _, name := range names {
		o, err := openAny(name)
		if err != nil {
			return err
		}
		defer o.Close()
		objects = append(objects, o)
	}
	waitFor := waitable.Any
	if all {
		waitFor = waitable.All
	}
	result, err := waitFor(ctx, objects...)
	if err != nil {
		return err
	}
	for i, o := range objects {
		if !all && i != result.Index {
			continue
		}
		note := ""
		if len(result.Holds) > 0 && result.Holds[i].Abandoned() {
			note = " (abandoned)"
		}
		fmt.Fprintf(c.OutOrStdout(), "%s%s\n", printable(o.Name()), note)
	}
	for _, hold := range result.Holds {
		_ = hold.Unlock() // those of other kinds are no holds
	}
	return nil
}
