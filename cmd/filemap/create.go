package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/object"
)

func newCreate() *cobra.Command {
	var length size
	var share string
	opts, sync := &filemap.CreateOptions{}, &syncOptions{}
	c := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a mapping or another object and hold it until ENTER",
		Long: `Create a mapping, or an object of another --kind, and hold it until ENTER, the end of
the input, SIGTERM or Ctrl-C.
Other processes may go on using it after that; it is gone with the last of them.`,
		Example: `  filemap create 'Local\Scratch' --size 1MiB
  filemap create 'Local\Table' --size 0 --file table.bin   # all of a file
  filemap create 'Global\Board' --size 64KiB --share read  # everybody may read
  filemap create 'Local\Slots' --kind semaphore --count 4 --tracked
  filemap create 'Local\Ready' --kind event --manual-reset`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	c.Flags().Var(&length, "size", "size of the mapping; 0 with --file is the file's")
	c.Flags().StringVar(&opts.File, "file", "", "file that backs the mapping")
	c.Flags().BoolVar(&opts.Sparse, "sparse", false, "do not reserve the memory")
	c.Flags().StringVar(&share, "share", "none", "what all users may do with it: none, read, all")
	sync.addFlags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		security, err := parseShare(c, share)
		if err != nil {
			return err
		}
		if err := sync.check(c); err != nil {
			return err
		}
		opts.Security, sync.security = security, security
		defer catchSignals(c)()
		if sync.kind != object.Mapping.String() {
			return createSync(c, args[0], sync)
		}
		return create(c, args[0], int64(length), opts)
	}
	return c
}

func parseShare(c *cobra.Command, text string) (*filemap.Security, error) {
	switch text {
	case "none":
		return nil, nil
	case "read":
		return &filemap.Security{Everybody: object.ShareRead}, nil
	case "all":
		return &filemap.Security{Everybody: object.ShareAll}, nil
	}
	return nil, badUsage(c, "--share is none, read or all, not %q", text)
}

func create(c *cobra.Command, name string, length int64, opts *filemap.CreateOptions) error {
	bar := &progress{out: c.ErrOrStderr(), start: time.Now()}
	opts.Context = c.Context()
	if isTerminal(c.ErrOrStderr()) {
		opts.Progress = bar.show
	}
	mapping, err := filemap.Create(name, length, opts)
	bar.clear()
	if err != nil {
		return err
	}
	defer mapping.Close()
	native, err := filemap.NativeName(name)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.OutOrStdout(), "The file mapping (%s) is created: %s at %s\n",
		printable(mapping.Name()), describeSize(mapping.Size()), printable(native))
	fmt.Fprintln(c.OutOrStdout(), "Press ENTER to clean up resources and quit")
	untilEnter(c.Context(), c.InOrStdin())
	return nil
}

// progress is a bar for the reserving of memory, which takes long for huge
// mappings.
type progress struct {
	out   io.Writer
	start time.Time
	shown bool
}

const (
	progressAfter = 500 * time.Millisecond // shorter work needs no bar
	progressWidth = 40
)

func (p *progress) show(done, total int64) {
	if time.Since(p.start) < progressAfter {
		return
	}
	p.shown = true
	full := int(float64(done) / float64(total) * progressWidth)
	fmt.Fprintf(p.out, "\rreserving [%s%s] %3.0f %%  ", strings.Repeat("#", full),
		strings.Repeat(".", progressWidth-full), float64(done)/float64(total)*100)
}

func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
