package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// catchSignals makes Ctrl-C and SIGTERM end the command's context. It is for
// commands that wait, and look at it: the others are simply killed.
func catchSignals(c *cobra.Command) (stop func()) {
	ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
	c.SetContext(ctx)
	return stop
}

// untilEnter waits for ENTER, the end of the input, or the end of ctx.
func untilEnter(ctx context.Context, stdin io.Reader) {
	entered := make(chan struct{})
	go func() { // ends with the process: a read of a terminal can't be stopped
		defer close(entered)
		_, _ = bufio.NewReader(stdin).ReadString('\n')
	}()
	select {
	case <-entered:
	case <-ctx.Done():
	}
}
