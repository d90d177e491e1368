package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap"
)

func newServer() *cobra.Command {
	length, message := size(sampleSize), sampleMessage
	c := &cobra.Command{
		Use:   "server [NAME]",
		Short: "Create a mapping, write a message, and hold it until ENTER",
		Long: `Create a mapping (Local\SampleMap unless NAME is given), write a message into a
1 KiB view of it, and hold both until ENTER, the end of the input, SIGTERM or Ctrl-C.
'filemap client' in another terminal reads the message, as does the client of
Microsoft's sample for named shared memory, and the reverse.`,
		Example: `  filemap server
  filemap server 'Global\Greeting' --message 'Hello, everybody'`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	c.Flags().Var(&length, "size", "size of the mapping")
	c.Flags().StringVar(&message, "message", message, "text to write")
	c.RunE = func(c *cobra.Command, args []string) error {
		defer catchSignals(c)()
		return serve(c, nameOr(args, sampleName), int64(length), message)
	}
	return c
}

// nameOr returns the name given, or another.
func nameOr(args []string, other string) string {
	if len(args) > 0 {
		return args[0]
	}
	return other
}

func serve(c *cobra.Command, name string, length int64, message string) error {
	data, err := encodeMessage(message, min(length, sampleView))
	if err != nil {
		return usageError{c, err}
	}
	mapping, err := filemap.Create(name, length, nil)
	if err != nil {
		return err
	}
	defer mapping.Close()
	out := c.OutOrStdout()
	fmt.Fprintf(out, "The file mapping (%s) is created\n", printable(name))
	view, err := mapping.View(0, min(length, sampleView))
	if err != nil {
		return err
	}
	defer view.Close()
	fmt.Fprintln(out, "The file view is mapped")
	if _, err := view.WriteAt(data, 0); err != nil {
		return err
	}
	fmt.Fprintln(out, "This message is written to the view:")
	return showMessage(c, message)
}

// showMessage prints a message and waits until the user has seen it.
func showMessage(c *cobra.Command, message string) error {
	_, err := fmt.Fprintf(c.OutOrStdout(),
		"\"%s\"\nPress ENTER to clean up resources and quit\n", printable(message))
	if err != nil {
		return err
	}
	untilEnter(c.Context(), c.InOrStdin())
	return nil
}
