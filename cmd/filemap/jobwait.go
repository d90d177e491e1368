package main

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/job"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

func newJobWait() *cobra.Command {
	timeout := never
	c := &cobra.Command{
		Use:   "wait NAME",
		Short: "Wait until a job has no members, or is gone",
		Long: `Wait until a job has no members, or is gone. The wait does not hold the job: its members
are killed all the same when the last process that holds it ends.`,
		Example: `  filemap job wait 'Local\Build'
  filemap job wait 'Local\Build' --timeout 1h`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeNames(1, "job"),
	}
	c.Flags().Var(&timeout, "timeout", "give up after this time (exit code 124); 0 does not wait")
	c.RunE = func(c *cobra.Command, args []string) error {
		defer catchSignals(c)()
		ctx, cancel := within(c.Context(), timeout)
		defer cancel()
		end, err := openJobEnd(args[0])
		if err != nil {
			return explainMissing(args[0], err)
		}
		return awaitJobEnd(ctx, end.Name())
	}
	return c
}

// jobEnd is the end of a job: that it has no members, or is gone. To hold the job
// meanwhile would keep its members alive, so it is opened again for each look.
type jobEnd struct{ waitable.Object }

// jobLook is how long the end of a job may stay unseen.
const jobLook = 50 * time.Millisecond

// openJobEnd returns the end of a job that exists.
func openJobEnd(name string) (jobEnd, error) {
	j, err := job.Open(name, nil)
	if err != nil {
		return jobEnd{}, err
	}
	name = j.Name()
	ready := func(context.Context) (bool, error) { return jobEnded(name) }
	await := func(ctx context.Context) error { return awaitJobEnd(ctx, name) }
	return jobEnd{waitable.NewCondition(name, object.Job, ready, await)}, j.Close()
}

func (jobEnd) Check() error { return nil }
func (jobEnd) Close() error { return nil }

func jobEnded(name string) (bool, error) {
	j, err := job.Open(name, nil)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	now, cancel := context.WithCancel(context.Background())
	cancel()
	err = j.Wait(now)
	ended := err == nil
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return ended, errors.Join(err, j.Close())
}

func awaitJobEnd(ctx context.Context, name string) error {
	for {
		if ended, err := jobEnded(name); ended || err != nil {
			return err
		}
		select {
		case <-time.After(jobLook):
		case <-ctx.Done():
			return &object.Error{Op: "wait", Kind: object.Job, Name: name, Err: context.Cause(ctx)}
		}
	}
}
