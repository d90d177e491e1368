package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap"
)

func newClient() *cobra.Command {
	var timeout duration
	c := &cobra.Command{
		Use:   "client [NAME]",
		Short: "Open a mapping and read the message in it",
		Long: `Open a mapping (Local\SampleMap unless NAME is given) for reading, print the message
that 'filemap server' wrote into it, and hold it until ENTER, the end of the input,
SIGTERM or Ctrl-C.`,
		Example: `  filemap client
  filemap client --timeout 10s   # wait for the server`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeNames(1, "mapping"),
	}
	c.Flags().Var(&timeout, "timeout", "wait up to this time for the mapping and its message")
	c.RunE = func(c *cobra.Command, args []string) error {
		defer catchSignals(c)()
		return read(c, nameOr(args, sampleName), time.Duration(timeout))
	}
	return c
}

func read(c *cobra.Command, name string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(c.Context(), timeout)
	defer cancel()
	mapping, err := openWithin(ctx, name, timeout)
	if err != nil {
		return err
	}
	defer mapping.Close()
	out := c.OutOrStdout()
	fmt.Fprintf(out, "The file mapping (%s) is opened\n", printable(name))
	view, err := mapping.View(0, min(mapping.Size(), sampleView))
	if err != nil {
		return err
	}
	defer view.Close()
	fmt.Fprintln(out, "The file view is mapped")
	message, err := readMessage(ctx, view)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "Read from the file mapping:")
	return showMessage(c, message)
}

// readMessage reads the server's message. The server writes it a moment after it
// has created the mapping: as long as ctx lasts, there may be none yet.
func readMessage(ctx context.Context, view *filemap.View) (string, error) {
	data := make([]byte, view.Len())
	for {
		ended := ctx.Err() != nil
		if _, err := view.ReadAt(data, 0); err != nil {
			return "", err
		}
		message := decodeMessage(data)
		if message != "" || ended {
			return message, nil
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// openWithin opens a mapping for reading, and waits for it as long as it may.
func openWithin(ctx context.Context, name string, timeout time.Duration) (*filemap.Mapping, error) {
	opts := &filemap.OpenOptions{Access: filemap.ReadOnly}
	if timeout == 0 {
		mapping, err := filemap.Open(name, opts)
		return mapping, explainMissing(name, hintServer(err))
	}
	mapping, err := filemap.Await(ctx, name, opts)
	return mapping, hintServer(err)
}

// hintServer adds the hint that most often helps a client.
func hintServer(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, context.DeadlineExceeded) {
		return hinted{err, "'filemap server' with the same name, in another terminal, creates it"}
	}
	return err
}
