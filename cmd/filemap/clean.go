package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/inspect"
)

func newClean() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "clean",
		Short: "Give back the memory that killed processes left",
		Long: `Give back the memory that killed processes left. Their objects are gone in any case,
and every use of filemap cleans now and then: this does it at once, and says how much.`,
		Example:           `  filemap clean`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON: {objects, bytes}")
	c.RunE = func(c *cobra.Command, _ []string) error {
		cleaned, err := inspect.Clean()
		if err != nil {
			return err
		}
		if asJSON {
			return printJSON(c.OutOrStdout(), cleaned)
		}
		noun := "objects"
		if cleaned.Objects == 1 {
			noun = "object"
		}
		_, err = fmt.Fprintf(c.OutOrStdout(), "%d dead %s, %s\n",
			cleaned.Objects, noun, describeSize(cleaned.Bytes))
		return err
	}
	return c
}
