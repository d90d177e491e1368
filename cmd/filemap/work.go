package main

import (
	"bytes"
	"errors"
	"io"
	"os/exec"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/channel"
)

// worker runs a command for each message of a queue.
type worker struct {
	c       *cobra.Command
	q       *channel.Queue
	command []string
	end     string // what follows the message on the command's standard input
	timeout duration
	retries number
	aside   *channel.Queue // for messages that failed too often; nil if there is none
}

// one takes a message in hand and runs the command with it. The message leaves the
// queue if the command succeeds. Otherwise it is given back, or put aside.
func (w *worker) one() error {
	ctx, cancel := within(w.c.Context(), w.timeout)
	defer cancel()
	message, err := w.q.Take(ctx)
	if err != nil {
		return err
	}
	spent := w.aside != nil && message.Takes() >= int(w.retries)
	if spent && message.Takes() > int(w.retries) { // its last worker died
		return w.putAside(message)
	}
	code, err := run(w.c, w.command, func(cmd *exec.Cmd) error {
		cmd.Stdin = io.MultiReader(bytes.NewReader(message.Bytes()), bytes.NewReader([]byte(w.end)))
		return cmd.Start()
	})
	switch {
	case err != nil:
		return errors.Join(err, message.Return())
	case code == 0:
		return message.Done()
	case w.c.Context().Err() != nil:
		return errors.Join(exitCode(code), message.Return())
	case spent:
		return w.putAside(message)
	case w.aside != nil:
		return message.Return()
	}
	return errors.Join(exitCode(code), message.Return())
}

// putAside moves a message to the queue for those that failed. If this process dies
// on the way, the message is in both queues.
func (w *worker) putAside(message channel.Taken) error {
	if err := w.aside.Send(w.c.Context(), message.Bytes()); err != nil {
		return errors.Join(err, message.Return())
	}
	return message.Done()
}
