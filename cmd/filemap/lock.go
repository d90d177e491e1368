package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

func newLock() *cobra.Command {
	timeout := time.Duration(-1)
	c := &cobra.Command{
		Use:   "lock NAME [--timeout D] -- CMD [ARG...]",
		Short: "Run a command while holding a mutex or a permit of a semaphore",
		Long: `Run a command while holding the mutex of the name, which is created if it is missing, or
one permit of the semaphore of the name. Signals are passed on to the command, and its exit
code is filemap's.

The lock is free again however the command or filemap ends, and the command never runs
without it: if filemap is killed, so is the command. The next lock says then that the mutex
was abandoned. A permit is free again after a kill if the semaphore was created --tracked.

On Linux, a program that removes files in /dev/shm, such as rm or logind's RemoveIPC, can
take the lock's name away, and another lock of the name then runs beside this one. filemap
notices within a second, says so, and locks the name again if it is free; its exit code is
then not 0, since another command may have run meanwhile.`,
		Example: `  filemap lock 'Local\Deploy' --timeout 1m -- ./deploy.sh
  filemap lock 'Local\Slots' -- make   # one of the permits of a semaphore`,
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: completeNames(1),
	}
	c.Flags().DurationVar(&timeout, "timeout", -1, "give up after so long (exit code 124); 0 does not wait")
	c.Flags().SetInterspersed(true)
	c.RunE = func(c *cobra.Command, args []string) error {
		if at := c.ArgsLenAtDash(); at != 1 {
			return badUsage(c, "give one NAME, then -- and the command")
		}
		// The command dies with the thread that starts it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		return lock(c, args[0], timeout, args[1:])
	}
	return c
}

func lock(c *cobra.Command, name string, timeout time.Duration, command []string) error {
	ctx, cancel := within(c.Context(), timeout)
	defer cancel()
	held, unlock, err := take(ctx, c, name)
	if err != nil {
		return err
	}
	defer held.Close()
	relocked := relockLost(c, held)
	code, err := runHolding(held, command)
	lost := errors.Join(relocked(), unlock())
	switch {
	case err != nil:
		return errors.Join(err, lost)
	case lost != nil && code != 0:
		return exitCodeError{code, lost}
	case lost != nil:
		return lost
	case code != 0:
		return exitCode(code)
	}
	return nil
}

// take locks the mutex of a name, or takes a permit of its semaphore. The
// returned function gives it back.
func take(ctx context.Context, c *cobra.Command, name string) (held anyObject, unlock func() error, err error) {
	mutex, _, err := waitable.OpenOrCreateMutex(name, nil)
	if errors.Is(err, object.ErrWrongKind) {
		return takePermit(ctx, name)
	}
	if err != nil {
		return nil, nil, err
	}
	hold, err := mutex.Lock(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, mutex.Close())
	}
	if hold.Abandoned() {
		fmt.Fprintf(c.ErrOrStderr(), "filemap: lock %s: abandoned by its last holder\n", printable(name))
	}
	return mutex, hold.Unlock, nil
}

func takePermit(ctx context.Context, name string) (held anyObject, release func() error, err error) {
	semaphore, err := waitable.OpenSemaphore(name)
	if err != nil {
		return nil, nil, err
	}
	if err := semaphore.Acquire(ctx); err != nil {
		return nil, nil, errors.Join(err, semaphore.Close())
	}
	return semaphore, func() error {
		_, err := semaphore.Release(1)
		return err
	}, nil
}

// exitCode is the exit code of a command that was run, to be passed on.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("the command ended with exit code %d", int(e)) }

// hangup is SIGHUP, a name that package syscall does not have on all systems.
const hangup = syscall.Signal(1)

// runHolding runs a command that shares what is held, and returns its exit
// code: as shells have it, 128 and the signal's number if a signal ended it.
func runHolding(held waitable.Object, command []string) (int, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, hangup, syscall.SIGQUIT)
	defer signal.Stop(signals)
	if err := waitable.Start(held, cmd); err != nil {
		return 0, commandError(command[0], err)
	}
	ended := make(chan struct{})
	go forward(signals, cmd.Process, ended)
	err := cmd.Wait()
	close(ended)
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		return 0, commandError(command[0], err)
	}
	if status, ok := cmd.ProcessState.Sys().(interface {
		Signaled() bool
		Signal() syscall.Signal
	}); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return cmd.ProcessState.ExitCode(), nil
}

// forward passes signals on to a process until it has ended.
func forward(signals <-chan os.Signal, to *os.Process, ended <-chan struct{}) {
	for {
		select {
		case s := <-signals:
			if !fromTerminal(s) {
				_ = to.Signal(s)
			}
		case <-ended:
			return
		}
	}
}

// fromTerminal reports whether the command has the signal already: a terminal
// sends those of its keys to all that run in the foreground.
func fromTerminal(s os.Signal) bool {
	return (s == os.Interrupt || s == syscall.SIGQUIT) && isTerminal(os.Stdin)
}

// commandError keeps a missing program from being taken for a missing object.
func commandError(program string, err error) error {
	switch {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return exitCodeError{127, fmt.Errorf("lock: %s: no such program", program)}
	case errors.Is(err, fs.ErrPermission):
		return exitCodeError{126, fmt.Errorf("lock: %s: not executable", program)}
	}
	return err
}

// exitCodeError is an error with an exit code of its own.
type exitCodeError struct {
	code int
	error
}
