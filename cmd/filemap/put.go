package main

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/channel"
)

func newPut() *cobra.Command {
	var raw bool
	timeout := never
	c := &cobra.Command{
		Use:   "put NAME [VALUE]",
		Short: "Write the value that a latest holds",
		Long: `Make VALUE, or the input without its last line end, the newest value of a latest. Readers
get the newest value only. A value has the size of the latest: a shorter one is filled up
with zero bytes, which 'filemap get' leaves out. With --raw, the input is the value as it is.

A latest exists while a process has it open: 'filemap create NAME --kind latest --size N'
keeps one. With --timeout, it waits for the latest; without it, a name that does not exist is
an error. A value that begins with a dash follows --.`,
		Example: `  filemap put 'Local\Progress' '40 %'
  filemap put 'Local\Level' -- -5
  date | filemap put 'Local\Beat' --timeout 10s`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: completeNames(1, "latest"),
	}
	c.Flags().BoolVar(&raw, "raw", false, "write all of the input, which has the size of the latest")
	c.Flags().Var(&timeout, "timeout", "wait for a missing latest, and give up after this time (exit code 124)")
	c.RunE = func(c *cobra.Command, args []string) error {
		if raw && len(args) > 1 {
			return badUsage(c, "--raw is for the input, and there is a value")
		}
		defer catchSignals(c)()
		latest, err := openOrAwait(c, args[0], timeout, channel.OpenLatest, channel.AwaitLatest)
		if err != nil {
			return err
		}
		defer latest.Close()
		value, err := valueFor(c, latest, args[1:], raw)
		if err != nil {
			return err
		}
		return latest.Write(value)
	}
	return c
}

// valueFor returns the value of a command line, or of the input, as a latest takes it.
func valueFor(c *cobra.Command, latest *channel.Latest, args []string, raw bool) ([]byte, error) {
	size := latest.Size()
	if raw {
		value, err := readUpTo(c, size)
		if err == errLongInput {
			err = tooLongValue(latest)
		}
		return value, err // Write refuses a shorter one
	}
	var value []byte
	if len(args) > 0 {
		value = []byte(args[0])
	} else {
		text, err := readUpTo(c, size+len("\r\n"))
		if err != nil && err != errLongInput {
			return nil, err
		}
		value = trimLineEnd(text)
	}
	if len(value) > size {
		return nil, tooLongValue(latest)
	}
	return append(value, make([]byte, size-len(value))...), nil
}

func trimLineEnd(text []byte) []byte {
	if line, ok := bytes.CutSuffix(text, []byte("\n")); ok {
		return bytes.TrimSuffix(line, []byte("\r"))
	}
	return text
}

func tooLongValue(latest *channel.Latest) error {
	err := fmt.Errorf("put %s: a value of more than %s does not fit", latest.Name(),
		describeSize(int64(latest.Size())))
	return hinted{err, "the process that creates the latest can give it a larger --size"}
}
