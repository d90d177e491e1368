package main

import (
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/job"
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
			fmt.Fprintf(c.ErrOrStderr(), "%s can't be seen from here\n", counted(members.Others, "other"))
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

func newJobLimit() *cobra.Command {
	var limits jobLimits
	c := &cobra.Command{
		Use:   "limit NAME",
		Short: "Change what the members of a job may use",
		Long: `Change what the members of a job may use: the limits that are given replace all that there
were. On Linux, limits need a cgroup with the controllers for them.`,
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
