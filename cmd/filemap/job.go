package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/job"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

func newJob() *cobra.Command {
	c := &cobra.Command{
		Use:   "job",
		Short: "Run commands that end together with all that they start",
		Long: `Run a command in a job, and list, end or limit the jobs there are. A job has a name, and
members: the command and all processes that it starts, and that those start in turn. They
are killed when the last process that holds the job ends, however it ends, also by kill -9.`,
		Example: `  filemap job run 'Local\Build' -- make -j8`,
	}
	c.AddCommand(newJobRun(), newJobList(), newJobProcesses(), newJobKill(), newJobWait(), newJobLimit())
	return c
}

func newJobList() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "ls [PATTERN]",
		Short: "List the jobs",
		Long: `List the jobs that this user can see, with the number of their members and the processes
that hold them. PATTERN is as for 'filemap ls'.`,
		Example: `  filemap job ls
  filemap job ls 'Global\*' --json`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeNames(1, "job"),
	}
	c.Flags().BoolVar(&asJSON, "json", false,
		"print JSON: [{name, members, holders:[{pid, exe}]}]; members is null if it is unknown")
	c.RunE = func(c *cobra.Command, args []string) error {
		jobs, err := listJobs(c.Context(), nameOr(args, ""))
		if err != nil {
			return err
		}
		if asJSON {
			return printJSON(c.OutOrStdout(), jobs)
		}
		if len(jobs) == 0 {
			fmt.Fprintln(c.ErrOrStderr(), "no jobs")
			return nil
		}
		table := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "NAME\tMEMBERS\tHOLDERS")
		for _, j := range jobs {
			members := "unknown"
			if j.Members != nil {
				members = fmt.Sprint(*j.Members)
			}
			fmt.Fprintf(table, "%s\t%s\t%s\n", printable(j.Name), members, formatHolders(j.Holders, filepath.Base))
		}
		return table.Flush()
	}
	return c
}

// listedJob is a job as in the JSON of job ls.
type listedJob struct {
	Name    string           `json:"name"`
	Members *int             `json:"members"` // nil if this user may not know
	Holders []inspect.Holder `json:"holders"`
}

func listJobs(ctx context.Context, pattern string) ([]listedJob, error) {
	objects, err := inspect.List(ctx, pattern)
	if err != nil {
		return nil, err
	}
	jobs := []listedJob{} // not nil: an empty list in JSON, too
	for _, o := range objects {
		if o.Kind != object.Job.String() {
			continue
		}
		stats, _, err := jobStats(o.Name)
		switch {
		case err == nil:
			jobs = append(jobs, listedJob{o.Name, &stats.Active, o.Holders})
		case !errors.Is(err, fs.ErrNotExist): // it may have ended meanwhile
			jobs = append(jobs, listedJob{o.Name, nil, o.Holders})
		}
	}
	return jobs, nil
}

// withJob does one thing to a job.
func withJob(name string, do func(*job.Job) error) error {
	j, err := job.Open(name, nil)
	if err != nil {
		return explainMissing(name, err)
	}
	return errors.Join(do(j), j.Close())
}

func newJobProcesses() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "ps NAME",
		Short: "List the members of a job",
		Long: `List the members of a job: their process numbers, those of their parents, and their
command lines (on Windows their programs). Members that this process can't see, in other
PID namespaces of Linux, are counted on standard error. A number may be another process's
a moment later: use 'filemap job kill', not kill(1).`,
		Example:           `  filemap job ps 'Local\Build'`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeNames(1, "job"),
	}
	c.Flags().BoolVar(&asJSON, "json", false,
		"print JSON: {processes:[{pid, ppid, command}], others}; ppid is 0 if it is unknown")
	c.RunE = func(c *cobra.Command, args []string) error {
		var members struct {
			Processes []inspect.Process `json:"processes"`
			Others    int               `json:"others"`
		}
		err := withJob(args[0], func(j *job.Job) error {
			pids, others, err := j.Processes()
			members.Processes, members.Others = inspect.Processes(pids), others
			return err
		})
		if err != nil {
			return err
		}
		if asJSON {
			return printJSON(c.OutOrStdout(), members)
		}
		if members.Others > 0 {
			fmt.Fprintf(c.ErrOrStderr(), "%d others can't be seen from here\n", members.Others)
		}
		table := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "PID\tPPID\tCOMMAND")
		for _, p := range members.Processes {
			parent := "-"
			if p.Parent != 0 {
				parent = fmt.Sprint(p.Parent)
			}
			fmt.Fprintf(table, "%d\t%s\t%s\n", p.PID, parent, printable(p.Command))
		}
		return table.Flush()
	}
	return c
}

func newJobKill() *cobra.Command {
	timeout := never
	c := &cobra.Command{
		Use:   "kill NAME",
		Short: "Kill all members of a job, and wait until they have ended",
		Long: `Kill all members of a job, and wait until they have ended. On Windows their exit code
is 1; on Linux they die of SIGKILL. The job exists as long as a process holds it, and that
process can start others in it.`,
		Example: `  filemap job kill 'Local\Build'
  filemap job kill 'Local\Build' --timeout 10s`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeNames(1, "job"),
	}
	c.Flags().Var(&timeout, "timeout", "give up the wait after this time (exit code 124)")
	c.RunE = func(c *cobra.Command, args []string) error {
		defer catchSignals(c)()
		ctx, cancel := within(c.Context(), timeout)
		defer cancel()
		return withJob(args[0], func(j *job.Job) error {
			if err := j.Terminate(1); err != nil {
				return err
			}
			return j.Wait(ctx)
		})
	}
	return c
}

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

func newJobLimit() *cobra.Command {
	var limits jobLimits
	c := &cobra.Command{
		Use:   "limit NAME",
		Short: "Change what the members of a job may use",
		Long: `Change what the members of a job may use: the limits that are given replace all that there
were. Linux has no limits for jobs.`,
		Example:           `  filemap job limit 'Local\Build' --processes 100 --memory 4GiB`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeNames(1, "job"),
	}
	limits.addTo(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if !limits.given(c) {
			return badUsage(c, "give --processes, --memory or --cpus")
		}
		if err := limits.check(c); err != nil {
			return err
		}
		return withJob(args[0], func(j *job.Job) error { return j.SetLimits(limits.value()) })
	}
	return c
}
