package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/channel"
)

func newReceive() *cobra.Command {
	var raw bool
	var count, retries number
	var aside string
	timeout, capacity := never, defaultCapacity
	c := &cobra.Command{
		Use:   "recv NAME [flags] [-- CMD [ARG...]]",
		Short: "Print what comes through a queue, or run a command for each message",
		Long: `Print the messages of a queue, each on a line (with --raw: one after the other), until
Ctrl-C. The queue is created if there is none. Each message goes to one receiver; it leaves
the queue when it has been printed, so the message that a receiver was printing when it was
killed comes to the next one. On a terminal, control characters are shown escaped.

With a command, run it for each message, with the message (and, without --raw, a line end) on
its standard input. Any number of recv may do so at once, each with a message of its own. The
message leaves the queue when the command exits with 0. If the command fails, or recv is
killed, the message is given back, and comes first to the next receiver. Then recv ends with
the exit code of the command; with --retries and --aside it goes on, and a message that has
failed more often than --retries goes to the queue --aside, which is created if there is
none.`,
		Example: `  filemap recv 'Local\Jobs'
  filemap recv 'Local\Backup' --raw --count 1 | tar x
  filemap recv 'Local\Jobs' --timeout 5s
  filemap recv 'Local\Jobs' -- ./work.sh
  filemap recv 'Local\Jobs' --retries 2 --aside 'Local\Failed' -- ./work.sh`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeNames(1, "queue"),
	}
	c.Flags().BoolVar(&raw, "raw", false, "print messages as they are, without line ends")
	c.Flags().Var(&count, "count", "end after this number of messages; 0 is never")
	c.Flags().Var(&capacity, "capacity", "the size of a new queue; one that exists must have it, too")
	c.Flags().Var(&timeout, "timeout", "give up after this time without a message (exit code 124)")
	c.Flags().Var(&retries, "retries", "with --aside: run the command again so often for a message that it fails for")
	c.Flags().StringVar(&aside, "aside", "", "the queue for messages that the command fails for")
	c.RunE = func(c *cobra.Command, args []string) error {
		name, command, err := splitCommand(c, args)
		if err != nil {
			return err
		}
		if command == nil && aside != "" || aside == "" && c.Flags().Changed("retries") {
			return badUsage(c, "--retries needs --aside, and both need a command after --")
		}
		defer catchSignals(c)()
		q, _, err := channel.OpenOrCreateQueue(name, &channel.QueueOptions{Capacity: asked(c, capacity)})
		if err != nil {
			return err
		}
		defer q.Close()
		end := "\n"
		if raw {
			end = ""
		}
		one := func() error { return receive(c, q, timeout, end) }
		if command != nil {
			w := worker{c: c, q: q, command: command, end: end, timeout: timeout, retries: retries}
			if aside != "" {
				w.aside, _, err = channel.OpenOrCreateQueue(aside, &channel.QueueOptions{Capacity: asked(c, capacity)})
				if err != nil {
					return err
				}
				defer w.aside.Close()
			}
			one = w.one
		}
		for n := number(0); count == 0 || n < count; n++ {
			if err := one(); err != nil {
				return ignoreInterrupt(c.Context(), err)
			}
		}
		return warnOfLoss(c, q)
	}
	return c
}

// warnOfLoss says so if messages go with the queue when this command ends.
func warnOfLoss(c *cobra.Command, q *channel.Queue) error {
	done, cancel := context.WithCancel(c.Context())
	cancel()
	if q.Flush(done) == nil {
		return nil
	}
	info, err := channel.Inspect(q.Name())
	if err != nil {
		return err
	}
	if lag := info.Rings[0].Lag; lag > 0 {
		fmt.Fprintf(c.ErrOrStderr(),
			"filemap: recv %s: no other process has the queue open, so what is left in it is lost: %s\n",
			printable(q.Name()), counted(lag, "message"))
	}
	return nil
}

// receive prints the next message.
func receive(c *cobra.Command, q *channel.Queue, timeout duration, end string) error {
	ctx, cancel := within(c.Context(), timeout)
	defer cancel()
	lease, err := q.Next(ctx)
	if err != nil {
		return err
	}
	if err := printMessage(c.OutOrStdout(), lease.Bytes(), end); err != nil {
		return errors.Join(err, lease.Return())
	}
	return lease.Release()
}
