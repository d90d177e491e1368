package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/object"
)

func newList() *cobra.Command {
	var asJSON, parts bool
	c := &cobra.Command{
		Use:   "ls [PATTERN]",
		Short: "List the live objects",
		Long: `List the live objects that this user can see: the Global ones, and this user's (on
Windows: this session's) Local ones. PATTERN has * and ? and [a-z], and a prefix as names
have. Objects under POSIX names are not listed: see /dev/shm.

A channel is listed as what it is: a queue, topic, latest, listener or session. The objects
that belong to one, whose names are the channel's, a tilde and more, are listed with --parts.`,
		Example: `  filemap ls
  filemap ls 'Global\*' --json`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeNames(1),
	}
	c.Flags().BoolVar(&asJSON, "json", false,
		"print JSON: [{name, kind, size, native, holders:[{pid, exe}]}]")
	c.Flags().BoolVar(&parts, "parts", false, "list the objects that belong to channels, too")
	c.RunE = func(c *cobra.Command, args []string) error {
		pattern := nameOr(args, "")
		objects, err := inspect.List(c.Context(), pattern)
		places := objects
		if err == nil && pattern != "" { // it may not match what tells of a channel
			places, err = inspect.List(c.Context(), pattern+placePattern)
		}
		if err != nil {
			return err
		}
		objects = showChannels(objects, places, parts)
		if asJSON {
			return printJSON(c.OutOrStdout(), objects)
		}
		if len(objects) == 0 {
			fmt.Fprintln(c.ErrOrStderr(), "no objects")
			return nil
		}
		return printTable(c.OutOrStdout(), objects)
	}
	return c
}

func printTable(w io.Writer, objects []inspect.Object) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tKIND\tSIZE\tHOLDERS")
	for _, o := range objects {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n",
			printable(o.Name), o.Kind, objectSize(o), formatHolders(o.Holders, filepath.Base))
	}
	return table.Flush()
}

func objectSize(o inspect.Object) string {
	if o.Denied && (o.Kind == object.Mapping.String() || o.Kind == object.Kind(0).String()) {
		return "unknown"
	}
	if o.Size == 0 { // only mappings have one
		return "-"
	}
	return formatSize(o.Size)
}

// formatHolders returns processes with their programs, each shown by show.
func formatHolders(holders []inspect.Holder, show func(exe string) string) string {
	if len(holders) == 0 {
		return "-"
	}
	var all []string
	for _, h := range holders {
		if h.Exe == "" {
			all = append(all, fmt.Sprint(h.PID))
		} else {
			all = append(all, fmt.Sprintf("%d (%s)", h.PID, printable(show(h.Exe))))
		}
	}
	return strings.Join(all, ", ")
}
