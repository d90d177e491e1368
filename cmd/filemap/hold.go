package main

import (
	"bufio"
	"context"
	"io"
)

// untilEnter waits for ENTER, the end of the input, or the end of ctx. It
// reports whether the input ended.
func untilEnter(ctx context.Context, stdin io.Reader) (inputEnded bool) {
	entered := make(chan error, 1)
	go func() { // ends with the process: a read of a terminal can't be stopped
		_, err := bufio.NewReader(stdin).ReadString('\n')
		entered <- err
	}()
	select {
	case err := <-entered:
		return err != nil
	case <-ctx.Done():
		return false
	}
}
