package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap"
)

// part is the flags for a part of a mapping.
type part struct{ offset, length size }

func (p *part) addTo(c *cobra.Command) {
	c.Flags().Var(&p.offset, "offset", "first byte")
	c.Flags().Var(&p.length, "length", "number of bytes; 0 is all to the end")
}

func newCat() *cobra.Command {
	var p part
	c := &cobra.Command{
		Use:               "cat NAME",
		Short:             "Print a mapping's bytes as they are",
		Example:           `  filemap cat 'Local\SampleMap' --offset 0x10 --length 4KiB >part.bin`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeNames(1),
	}
	p.addTo(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		view, err := openView(args[0], filemap.ReadOnly, p)
		if err != nil {
			return err
		}
		defer view.Close()
		_, err = io.Copy(c.OutOrStdout(), view.Reader())
		return err
	}
	return c
}

// openView opens a mapping and maps a part of it. The view needs no open
// mapping to go on.
func openView(name string, access filemap.Access, p part) (*filemap.View, error) {
	mapping, err := filemap.Open(name, &filemap.OpenOptions{Access: access})
	if err != nil {
		return nil, explainMissing(name, err)
	}
	defer mapping.Close()
	return mapping.View(int64(p.offset), int64(p.length))
}
