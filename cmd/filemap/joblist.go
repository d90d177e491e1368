package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/object"
)

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
