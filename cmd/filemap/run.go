package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// exitCode is the exit code of a command that was run, to be passed on.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("the command ended with exit code %d", int(e)) }

// exitCodeError is an error with an exit code of its own.
type exitCodeError struct {
	code int
	error
}

func (e exitCodeError) Unwrap() error { return e.error }

// splitCommand returns the command after -- in args, nil if there is none.
func splitCommand(c *cobra.Command, args []string) (name string, command []string, err error) {
	switch dash := c.ArgsLenAtDash(); {
	case dash < 0 && len(args) == 1:
		return args[0], nil, nil
	case dash == 1 && len(args) > 1:
		return args[0], args[1:], nil
	}
	return "", nil, badUsage(c, "give one NAME, then -- and the command")
}

// run runs a command, which start starts, passes signals on to it, and returns
// its exit code: as shells have it, 128 and the signal's number if a signal
// ended it. It does not start one if a signal has ended the context of c.
func run(c *cobra.Command, command []string, start func(*exec.Cmd) error) (int, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	signals := make(chan os.Signal, 16)
	relay(signals, passable()...)
	defer signal.Stop(signals)
	if err := context.Cause(c.Context()); err != nil {
		return 0, exitAsSignaled(fmt.Errorf("%s: %w", verb(c), err))
	}
	if err := start(cmd); err != nil {
		return 0, commandError(c, command[0], err)
	}
	ended := make(chan struct{})
	go passOn(signals, cmd.Process, ended)
	err := cmd.Wait()
	close(ended)
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		return 0, commandError(c, command[0], err)
	}
	if status, ok := cmd.ProcessState.Sys().(interface {
		Signaled() bool
		Signal() syscall.Signal
	}); ok && status.Signaled() {
		return signaled{status.Signal()}.exitCode(), nil
	}
	return cmd.ProcessState.ExitCode(), nil
}

// exitAsSignaled gives the error of a verb whose wait before its command a
// signal ended the exit code that the command would have had.
func exitAsSignaled(err error) error {
	if by, ok := errors.AsType[signaled](err); ok {
		return exitCodeError{by.exitCode(), err}
	}
	return err
}

// commandError keeps a missing program from being taken for a missing object.
func commandError(c *cobra.Command, program string, err error) error {
	switch {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return exitCodeError{127, fmt.Errorf("%s: %s: no such program", verb(c), program)}
	case errors.Is(err, fs.ErrPermission):
		return exitCodeError{126, fmt.Errorf("%s: %s: not executable", verb(c), program)}
	}
	return err
}
