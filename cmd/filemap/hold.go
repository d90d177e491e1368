package main

import (
	"bufio"
	"context"
	"io"
)

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
