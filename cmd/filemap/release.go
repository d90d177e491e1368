package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/waitable"
)

func newRelease() *cobra.Command {
	return &cobra.Command{
		Use:   "release NAME [N]",
		Short: "Give permits to a semaphore and print how many there were",
		Long: `Give N permits, or one, to a semaphore, and print how many there were before. More
than its maximum is an error, and then none is given.`,
		Example:           `  filemap release 'Local\Slots' 2`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: completeNames(1, "semaphore"),
		RunE: func(c *cobra.Command, args []string) error {
			n, err := strconv.Atoi(nameOr(args[1:], "1"))
			if err != nil || n < 1 {
				return badUsage(c, "the number of permits is 1 or more, not %q", args[1])
			}
			semaphore, err := waitable.OpenSemaphore(args[0])
			if err != nil {
				return explainMissing(args[0], err)
			}
			defer semaphore.Close()
			previous, err := semaphore.Release(n)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), previous)
			return err
		},
	}
}
