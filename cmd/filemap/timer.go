package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/waitable"
)

func newTimer() *cobra.Command {
	c := &cobra.Command{
		Use:     "timer",
		Short:   "Set or cancel a timer",
		Example: `  filemap timer set 'Local\Tick' --due 10s`,
	}
	c.AddCommand(newTimerSet(), newTimerCancel())
	return c
}

func newTimerSet() *cobra.Command {
	var due, period duration
	c := &cobra.Command{
		Use:   "set NAME --due D [--period D]",
		Short: "Set when a timer is signaled",
		Long: `Set when a timer that exists is signaled. It takes the timer's signal away, and replaces
what the timer was set to before. 'filemap create NAME --kind timer' makes a timer.`,
		Example: `  filemap timer set 'Local\Tick' --due 10s
  filemap timer set 'Local\Tick' --due 0s --period 1m   # now, and each minute`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeNames(1, "timer"),
	}
	c.Flags().Var(&due, "due", "signaled after this time")
	c.Flags().Var(&period, "period", "and then again, each time after this time; 0 is once")
	_ = c.MarkFlagRequired("due") // it is there
	c.RunE = func(_ *cobra.Command, args []string) error {
		return withTimer(args[0], func(t *waitable.Timer) error {
			return t.SetAfter(time.Duration(due), time.Duration(period))
		})
	}
	return c
}

func newTimerCancel() *cobra.Command {
	return &cobra.Command{
		Use:   "cancel NAME",
		Short: "Keep a timer from being signaled",
		Long: `Keep a timer from being signaled until it is set again. It stays signaled if it is
already.`,
		Example:           `  filemap timer cancel 'Local\Tick'`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeNames(1, "timer"),
		RunE: func(_ *cobra.Command, args []string) error {
			return withTimer(args[0], (*waitable.Timer).Cancel)
		},
	}
}

// withTimer does one thing to a timer.
func withTimer(name string, do func(*waitable.Timer) error) error {
	timer, err := waitable.OpenTimer(name)
	if err != nil {
		return explainMissing(name, err)
	}
	defer timer.Close()
	return do(timer)
}
