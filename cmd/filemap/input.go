package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// sink is a channel that takes messages.
type sink interface {
	Name() string
	Longest() int
}

// putInput puts each line of the input into a channel as a message, or with raw all
// of the input as one. It returns the number of messages.
func putInput(c *cobra.Command, to sink, raw bool, put func(message []byte) error) (n int, err error) {
	if raw {
		message, err := readUpTo(c, to.Longest())
		if err == errLongInput {
			return 0, tooLong(c, to)
		}
		if err == nil {
			err = put(message)
		}
		return 1, err
	}
	lines := bufio.NewScanner(&stoppable{c.Context(), c.InOrStdin()})
	// Room for the line's end, and for one byte more: that line is too long.
	lines.Buffer(nil, to.Longest()+2)
	for lines.Scan() {
		if len(lines.Bytes()) > to.Longest() {
			return n, tooLong(c, to)
		}
		if err := put(lines.Bytes()); err != nil {
			return n, err
		}
		n++
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return n, tooLong(c, to)
	}
	return n, lines.Err()
}

func tooLong(c *cobra.Command, to sink) error {
	err := fmt.Errorf("%s %s: a message of more than %s does not fit", verb(c), to.Name(),
		describeSize(int64(to.Longest())))
	return hinted{err, "the process that creates the channel can give it a larger --capacity"}
}

// errLongInput is that of an input that is longer than its limit.
var errLongInput = errors.New("the input is too long")

// readUpTo reads all of the input. It returns errLongInput if it has more than limit
// bytes.
func readUpTo(c *cobra.Command, limit int) ([]byte, error) {
	input := &stoppable{c.Context(), c.InOrStdin()}
	data, err := io.ReadAll(io.LimitReader(input, int64(limit)+1))
	if err == nil && len(data) > limit {
		err = errLongInput
	}
	return data, err
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
