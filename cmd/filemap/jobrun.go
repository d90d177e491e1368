package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/job"
)

func newJobRun() *cobra.Command {
	var limits jobLimits
	var opts job.Options
	var wait bool
	c := &cobra.Command{
		Use:   "run NAME [flags] -- CMD [ARG...]",
		Short: "Run a command in a new job",
		Long: `Create a job, run a command in it, and wait until that has ended. What it has left running
is killed then, unless another process holds the job: with --wait, filemap waits until the
command and everything that it has started have ended, and with --leave nothing is killed.
If filemap itself is killed, so is all of the job.

Signals that filemap gets are passed on to the command, except for Ctrl-C and the other keys
of a terminal, which reach the command by themselves. After SIGTERM, SIGHUP or Ctrl-C,
--wait waits for the command alone, and the others are killed. The command's exit code is
filemap's; it is 128 and the signal's number if a signal ended the command.

On Linux, limits and --exact need a cgroup. Without one, members live on if both of the
processes that guard a command are killed at once. A job that needs more than --memory is
killed as a whole, and filemap says so.`,
		Example: `  filemap job run 'Local\Build' -- make -j8
  filemap job run 'Local\Tests' --wait -- ./start-all.sh`,
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	limits.addTo(c)
	c.Flags().BoolVar(&opts.Exact, "exact", false, "refuse to run where a member could be left behind")
	c.Flags().BoolVar(&opts.Leave, "leave", false, "do not kill the members when nothing holds the job")
	c.Flags().BoolVar(&wait, "wait", false, "wait until all members have ended")
	c.RunE = func(c *cobra.Command, args []string) error {
		name, command, err := splitCommand(c, args)
		if err == nil {
			err = limits.check(c)
		}
		if err != nil {
			return err
		}
		opts.Limits = limits.value()
		defer catchSignals(c)()
		j, err := job.Create(name, &opts)
		if err != nil {
			return err
		}
		return errors.Join(runJob(c, j, command, wait), j.Close())
	}
	return c
}

// runJob runs a command in a job, and with wait waits for all members.
func runJob(c *cobra.Command, j *job.Job, command []string, wait bool) error {
	code, err := run(c, command, j.Start)
	if err == nil && wait {
		err = exitAsSignaled(j.Wait(c.Context()))
	}
	if code != 0 { // how the command ended says more than how the wait did
		if killed := killedForMemory(c, j); killed != nil {
			return exitCodeError{code, killed}
		}
		return exitCode(code)
	}
	return err
}

// killedForMemory returns an error if members were killed for want of memory. The
// exit code does not tell why a process was killed.
func killedForMemory(c *cobra.Command, j *job.Job) error {
	stats, err := j.Stats()
	if err != nil || stats.Killed == 0 {
		return nil
	}
	return fmt.Errorf("%s %s: for want of memory, the system killed %d of its processes (most memory: %s)",
		verb(c), j.Name(), stats.Killed, orUnknown(describeSize(stats.Peak), stats.Known.Peak))
}

// jobLimits are the flags for the limits of a job; 0 is for none.
type jobLimits struct {
	processes number
	memory    size
	cpus      float64
}

func (l *jobLimits) addTo(c *cobra.Command) {
	c.Flags().Var(&l.processes, "processes", "the most members at a time")
	c.Flags().Var(&l.memory, "memory", "the most memory of all members together")
	c.Flags().Float64Var(&l.cpus, "cpus", 0, "the most processors: 0.5 is half of one")
}

func (l *jobLimits) given(c *cobra.Command) bool {
	changed := c.Flags().Changed
	return changed("processes") || changed("memory") || changed("cpus")
}

// check returns an error for a limit that nothing could keep.
func (l *jobLimits) check(c *cobra.Command) error {
	if !(l.cpus >= 0) || l.cpus > 1e6 { // not a number is neither
		return badUsage(c, "--cpus %v is not a number of processors", l.cpus)
	}
	return nil
}

func (l *jobLimits) value() job.Limits {
	return job.Limits{Processes: int(l.processes), Memory: int64(l.memory), CPU: l.cpus}
}
