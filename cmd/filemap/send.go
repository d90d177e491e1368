package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/channel"
)

// defaultCapacity is that of a channel that is created without --capacity.
const defaultCapacity = size(1 << 20)

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
	c.Flags().Var(&capacity, "capacity", "the size of the queue, if it is created")
	c.Flags().BoolVar(&wait, "wait", false, "end when all messages are received, and done")
	c.Flags().Var(&timeout, "timeout",
		"give up after this time without room, or a receiver, or with --wait until all is done (exit code 124)")
	c.RunE = func(c *cobra.Command, args []string) error {
		defer catchSignals(c)()
		q, _, err := channel.OpenOrCreateQueue(args[0], &channel.QueueOptions{Capacity: int64(capacity)})
		if err != nil {
			return err
		}
		defer q.Close()
		s := sender{q, c.Context(), timeout, wait}
		if raw {
			return s.sendAll(c.InOrStdin())
		}
		return s.sendLines(c.InOrStdin())
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

func (s sender) sendLines(input io.Reader) error {
	lines := bufio.NewScanner(&stoppable{s.ctx, input})
	// Room for the line's end, and for one byte more: that line is too long.
	lines.Buffer(nil, s.q.Longest()+2)
	sent := false
	for lines.Scan() {
		if err := s.send(lines.Bytes()); err != nil {
			return err
		}
		sent = true
	}
	switch {
	case errors.Is(lines.Err(), bufio.ErrTooLong):
		return s.tooLong()
	case lines.Err() != nil || !sent && !s.wait:
		return lines.Err()
	}
	return s.handOver()
}

func (s sender) sendAll(input io.Reader) error {
	message, err := io.ReadAll(io.LimitReader(&stoppable{s.ctx, input}, int64(s.q.Longest())+1))
	if err != nil {
		return err
	}
	if err := s.send(message); err != nil {
		return err
	}
	return s.handOver()
}

func (s sender) send(message []byte) error {
	if len(message) > s.q.Longest() {
		return s.tooLong()
	}
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

func (s sender) tooLong() error {
	err := fmt.Errorf("send %s: a message of more than %s does not fit", s.q.Name(),
		describeSize(int64(s.q.Longest())))
	return hinted{err, "the process that creates the queue can give it a larger --capacity"}
}

// stoppable is an input whose reads end when ctx does.
type stoppable struct {
	ctx   context.Context
	input io.Reader
}

func (s *stoppable) Read(p []byte) (int, error) {
	type result struct {
		n   int
		err error
	}
	read := make(chan result, 1)
	buffer := make([]byte, len(p))
	go func() { // may go on until the process ends: a read of a terminal can't be stopped
		n, err := s.input.Read(buffer)
		read <- result{n, err}
	}()
	select {
	case r := <-read:
		copy(p, buffer[:r.n])
		return r.n, r.err
	case <-s.ctx.Done():
		return 0, context.Cause(s.ctx)
	}
}
