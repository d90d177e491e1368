package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/channel"
)

// defaultCapacity is that of a channel that is created without --capacity.
const defaultCapacity = size(1 << 20)

// asked returns a capacity if the user has given it, and otherwise 0: an existing
// channel may have any, and a new one gets the default.
func asked(c *cobra.Command, capacity size) int64 {
	if !c.Flags().Changed("capacity") {
		return 0
	}
	return int64(capacity)
}

func newSend() *cobra.Command {
	var raw, wait bool
	timeout, capacity := never, defaultCapacity
	c := &cobra.Command{
		Use:   "send NAME",
		Short: "Send the input's lines through a queue",
		Long: `Send each line of the input as a message (with --raw: all of it as one) through a queue,
which is created if there is none. It ends when the messages are in the queue and another
process has the queue open, or has received them: a queue is gone, and its messages with it,
when no process has it open. 'filemap create NAME --kind queue' keeps one. With --wait it ends
when no message is left in the queue, and those that 'recv NAME -- CMD' took are done.`,
		Example: `  printf 'a\nb\n' | filemap send 'Local\Jobs'
  seq 100 | filemap send 'Local\Jobs' --wait --timeout 1h   # until all jobs are done
  tar c . | filemap send 'Local\Backup' --raw --capacity 1GiB`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeNames(1, "queue"),
	}
	c.Flags().BoolVar(&raw, "raw", false, "send all of the input as one message")
	c.Flags().Var(&capacity, "capacity", "the size of a new queue; one that exists must have it, too")
	c.Flags().BoolVar(&wait, "wait", false, "end when all messages are received, and done")
	c.Flags().Var(&timeout, "timeout",
		"give up after this time without room, or a receiver, or with --wait until all is done (exit code 124)")
	c.RunE = func(c *cobra.Command, args []string) error {
		defer catchSignals(c)()
		q, _, err := channel.OpenOrCreateQueue(args[0], &channel.QueueOptions{Capacity: asked(c, capacity)})
		if err != nil {
			return err
		}
		defer q.Close()
		s := sender{q, c.Context(), timeout, wait}
		sent, err := putInput(c, q, raw, s.send)
		if err != nil || sent == 0 && !wait {
			return err
		}
		return s.handOver()
	}
	return c
}

// sender puts messages into a queue.
type sender struct {
	q       *channel.Queue
	ctx     context.Context
	timeout duration
	wait    bool // until all is done
}

func (s sender) send(message []byte) error {
	ctx, cancel := within(s.ctx, s.timeout)
	defer cancel()
	return s.q.Send(ctx, message)
}

// handOver waits until all is received, or another process keeps the queue; or until
// all is done.
func (s sender) handOver() error {
	ctx, cancel := within(s.ctx, s.timeout)
	defer cancel()
	if s.wait {
		return s.q.AwaitEmpty(ctx)
	}
	return s.q.Flush(ctx)
}
