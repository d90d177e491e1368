package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/inspect"
)

func newInfo() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "info NAME",
		Short: "Show one object and its state",
		Long: `Show what kind of object a name stands for, its size and state, and the
processes that hold it.`,
		Example:           `  filemap info 'Local\SampleMap'`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeNames(1),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON: an object as in ls, and {state:{...}}")
	c.RunE = func(c *cobra.Command, args []string) error {
		o, err := inspect.Find(c.Context(), args[0])
		if err != nil {
			return explainMissing(args[0], err)
		}
		info, isChannel := inspectChannel(o)
		if isChannel {
			o.Kind = info.Kind
		}
		if asJSON && isChannel {
			return printJSON(c.OutOrStdout(), struct {
				inspect.Object
				State channel.Info `json:"state"`
			}{o, info})
		}
		if asJSON {
			return printJSON(c.OutOrStdout(), struct {
				inspect.Object
				State map[string]any `json:"state"`
			}{o, state(o)})
		}
		return printInfo(c, o, info)
	}
	return c
}

func printInfo(c *cobra.Command, o inspect.Object, info channel.Info) error {
	table := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	row := func(label, value string) { fmt.Fprintf(table, "%s\t%s\n", label, value) }
	row("name", printable(o.Name))
	size := objectSize(o)
	if o.Denied && size == "unknown" {
		size = unknownDenied
	}
	row("kind", o.Kind)
	row("size", size)
	printState(table, o)
	if info.Kind != "" {
		printChannel(table, info)
	}
	row("native", printable(o.Native))
	row("holders", formatHolders(o.Holders, func(exe string) string { return exe }))
	return table.Flush()
}
