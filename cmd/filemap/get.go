package main

import (
	"bytes"
	"errors"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/channel"
)

func newGet() *cobra.Command {
	g := getter{timeout: never}
	c := &cobra.Command{
		Use:   "get NAME",
		Short: "Print the value that a latest holds",
		Long: `Print the newest value of a latest on a line, without the zero bytes at its end (with
--raw: all bytes and no line end). On a terminal, control characters are shown escaped.

With --timeout, it waits for the latest and for its first value; without it, a name that does
not exist is an error, and so is a latest without a value.

With --watch, it waits for both without end, and prints each new value until Ctrl-C; of values
that follow each other fast, it may print only the last. --timeout then limits the time between
two values.

With --json, each value is a document on a line: its "text" or, if it is not UTF-8, its
"base64", and its "version", the number of values up to it.`,
		Example: `  filemap get 'Local\Progress'
  filemap get 'Local\Progress' --watch
  filemap get 'Local\Beat' --timeout 10s --json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeNames(1, "latest"),
	}
	c.Flags().BoolVar(&g.watch, "watch", false, "print each new value, until Ctrl-C")
	c.Flags().Var(&g.count, "count", "with --watch: end after this number of values; 0 is never")
	g.addTo(c, "print all bytes of a value, without a line end")
	c.Flags().Var(&g.timeout, "timeout",
		"wait for a missing latest, too, and give up after this time without it, or a value (exit code 124)")
	c.RunE = func(c *cobra.Command, args []string) error {
		if !g.watch && c.Flags().Changed("count") {
			return badUsage(c, "--count is for --watch")
		}
		if err := g.check(c); err != nil {
			return err
		}
		defer catchSignals(c)()
		err := g.get(c, args[0])
		if g.watch {
			err = ignoreInterrupt(c.Context(), err)
		}
		return err
	}
	return c
}

// getter prints values.
type getter struct {
	contentFlags
	watch   bool
	count   number
	timeout duration
}

func (g *getter) get(c *cobra.Command, name string) error {
	latest, err := g.open(c, name)
	if err != nil {
		return err
	}
	defer latest.Close()
	buffer := make([]byte, latest.Size())
	version := uint64(0) // so far
	for n := number(0); n == 0 || g.watch && (g.count == 0 || n < g.count); n++ {
		if version, err = g.next(c, latest, version, buffer); err != nil {
			return err
		}
		if err := g.print(c, buffer, version); err != nil {
			return err
		}
	}
	return nil
}

// open opens the latest of a name, which a watch waits for.
func (g *getter) open(c *cobra.Command, name string) (*channel.Latest, error) {
	if g.watch && g.timeout == never {
		return channel.AwaitLatest(c.Context(), name, nil)
	}
	return openOrAwait(c, name, g.timeout, channel.OpenLatest, channel.AwaitLatest)
}

// next reads the next value into the buffer and returns its version.
func (g *getter) next(c *cobra.Command, latest *channel.Latest, after uint64, buffer []byte) (uint64, error) {
	if !g.watch && g.timeout == never {
		version, err := latest.Read(buffer)
		if errors.Is(err, channel.ErrNoValue) {
			err = hinted{err, "--timeout waits for a value"}
		}
		return version, err
	}
	ctx, cancel := within(c.Context(), g.timeout)
	defer cancel()
	return latest.Wait(ctx, after, buffer)
}

func (g *getter) print(c *cobra.Command, value []byte, version uint64) error {
	if !g.raw {
		value = bytes.TrimRight(value, "\x00")
	}
	return g.printContent(c.OutOrStdout(), value, func(text content) any {
		return struct {
			content
			Version uint64 `json:"version"`
		}{text, version}
	})
}
