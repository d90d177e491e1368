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
	var text textFlag
	c := &cobra.Command{
		Use:   "cat NAME",
		Short: "Print a mapping's bytes as they are",
		Long: `Print a mapping's bytes as they are. With --text, print the string that they begin with,
up to the first NUL or the end, as a line of UTF-8: what one fixed-size field of a record
holds, if --offset and --length are the field's. What is not a character is printed as
U+FFFD, and on a terminal control characters are shown escaped.`,
		Example: `  filemap cat 'Local\SampleMap' --offset 0x10 --length 4KiB >part.bin
  filemap cat 'Local\SampleMap' --text utf16`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeNames(1, "mapping"),
	}
	p.addTo(c)
	text.addTo(c, "print the string in this encoding")
	c.RunE = func(c *cobra.Command, args []string) error {
		decode, err := text.decoder(c)
		if err != nil {
			return err
		}
		view, err := openView(args[0], filemap.ReadOnly, p)
		if err != nil {
			return err
		}
		defer view.Close()
		if decode != nil {
			return printText(c.OutOrStdout(), view.Reader(), decode)
		}
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
