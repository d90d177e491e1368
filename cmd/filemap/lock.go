package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

func newLock() *cobra.Command {
	timeout := never
	l := &locker{}
	var share shareFlag
	c := &cobra.Command{
		Use:   "lock NAME [flags] -- CMD [ARG...]",
		Short: "Run a command while holding a mutex or a permit of a semaphore",
		Long: `Run a command while holding the mutex of the name, which is created if it is missing, or
one permit of the semaphore of the name. With --read, any number of commands run at once, and
none of them beside a command that has the lock without --read; a command that waits for the
lock without --read comes before those that want to read later. While commands read, the
object NAME.readers exists.

Signals that filemap gets are passed on to the command, except for Ctrl-C and the other keys
of a terminal, which reach the command by themselves. The command's exit code is filemap's;
it is 128 and the signal's number if a signal ended the command or the wait for the lock.

The lock is free again however the command or filemap ends, and neither the command nor
anything that it has started runs without it: when filemap ends, also by kill -9, what is
left of them is killed, and the lock is free after that. The next lock says then that the
mutex was abandoned. A permit is free again after a kill if the semaphore was created
--tracked.

On Linux, a program that removes files in /dev/shm, such as rm or logind's RemoveIPC, can
take the lock's name away, and another lock of the name then runs beside this one. filemap
notices within a second, says so, and locks the name again if it is free; its exit code is
then not 0, since another command may have run meanwhile.`,
		Example: `  filemap lock 'Local\Deploy' --timeout 1m -- ./deploy.sh
  filemap lock 'Local\Table' --read -- ./report.sh   # beside other readers
  filemap lock 'Global\Disk' --share all -- fsck /dev/sdb1
  filemap lock 'Local\Slots' -- make   # one of the permits of a semaphore`,
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: completeNames(1, "mutex", "semaphore"),
	}
	c.Flags().Var(&timeout, "timeout", "give up after this time (exit code 124); 0 does not wait")
	c.Flags().BoolVar(&l.read, "read", false, "run beside other readers")
	share.addTo(c, "what all users may do with a lock that is created", "none", "all")
	c.RunE = func(c *cobra.Command, args []string) error {
		name, command, err := splitCommand(c, args)
		if err != nil {
			return err
		}
		if l.security, err = share.security(c); err != nil {
			return err
		}
		defer catchSignals(c)()
		l.name, l.c = name, c
		return lock(l, timeout, command)
	}
	return c
}

func lock(l *locker, timeout duration, command []string) error {
	ctx, cancel := within(l.c.Context(), timeout)
	defer cancel()
	held, err := l.take(ctx)
	if err != nil {
		return exitAsSignaled(err)
	}
	relocked := l.relockLost(held)
	code, err := run(l.c, command, func(cmd *exec.Cmd) error { return waitable.Start(held, cmd) })
	lost := errors.Join(relocked(), held.giveBack())
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

// locker takes the lock of a name.
type locker struct {
	c        *cobra.Command
	name     string
	read     bool // beside other readers
	security *object.Security
}

// holding is a lock that is taken.
type holding struct {
	anyObject              // what the command shares
	giveBack  func() error // and close
	permit    bool         // of a semaphore, rather than a lock
}

// take takes the lock, or a permit if the name is a semaphore's.
func (l *locker) take(ctx context.Context) (*holding, error) {
	mutex, _, err := waitable.OpenOrCreateMutex(l.name, &waitable.MutexOptions{Security: l.security})
	if errors.Is(err, object.ErrWrongKind) {
		return l.takePermit(ctx)
	}
	if err != nil {
		return nil, err
	}
	hold, err := mutex.Lock(ctx)
	if err != nil {
		return nil, errors.Join(err, mutex.Close())
	}
	if hold.Abandoned() {
		l.tell("abandoned by its last holder")
	}
	if l.read {
		return l.enter(mutex, hold)
	}
	giveBack := func() error { return errors.Join(hold.Unlock(), mutex.Close()) }
	if err := l.awaitReaders(ctx); err != nil {
		return nil, errors.Join(err, giveBack())
	}
	return &holding{mutex, giveBack, false}, nil
}

func (l *locker) takePermit(ctx context.Context) (*holding, error) {
	semaphore, err := waitable.OpenSemaphore(l.name)
	if err != nil {
		return nil, err
	}
	if l.read {
		return nil, errors.Join(
			badUsage(l.c, "--read is for a mutex, and %s is a semaphore", semaphore.Name()),
			semaphore.Close())
	}
	if err := semaphore.Acquire(ctx); err != nil {
		return nil, errors.Join(err, semaphore.Close())
	}
	return &holding{semaphore, func() error {
		_, err := semaphore.Release(1)
		return errors.Join(err, semaphore.Close())
	}, true}, nil
}

func (l *locker) tell(what string) {
	fmt.Fprintf(l.c.ErrOrStderr(), "filemap: lock %s: %s\n", printable(l.name), what)
}
