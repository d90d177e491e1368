package main

import (
	"bytes"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/object"
)

func newWrite() *cobra.Command {
	var p part
	c := &cobra.Command{
		Use:   "write NAME",
		Short: "Write the input into a mapping",
		Long: `Write the input into a mapping. Input that does not fit is an error, and then nothing
is written.`,
		Example:           `  echo hello | filemap write 'Local\SampleMap' --offset 0x100`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeNames(1, "mapping"),
	}
	c.Flags().Var(&p.offset, "offset", "where the first byte goes")
	c.RunE = func(c *cobra.Command, args []string) error {
		view, err := openView(args[0], filemap.ReadWrite, p)
		if err != nil {
			return err
		}
		defer view.Close()
		var input bytes.Buffer
		n, err := io.CopyN(&input, c.InOrStdin(), int64(view.Len())+1)
		if err == nil {
			return tooMuch(args[0], view.Len())
		}
		if err != io.EOF || n == 0 {
			return ignoreEOF(err)
		}
		_, err = view.WriteAt(input.Bytes(), 0)
		return err
	}
	return c
}

func ignoreEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

func tooMuch(name string, room int) error {
	if parsed, err := object.ParseName(name); err == nil {
		name = parsed.String()
	}
	cause := fmt.Errorf("the input is more than the %s from there to the end",
		describeSize(int64(room)))
	return &object.Error{Op: "write", Kind: object.Mapping, Name: name, Err: cause}
}
