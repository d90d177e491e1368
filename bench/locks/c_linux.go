package locks

import (
	"bufio"
	_ "embed"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/filemap-go/filemap/bench/measure"
)

//go:embed c/locks.c
var cSource string

// cLocks are locks that C programs share, and a program that has them.
type cLocks struct {
	program string
	running *measure.Program
}

// startC returns an error that is exec.ErrNotFound if there is no C compiler.
func startC() (*cLocks, error) {
	path, err := measure.CompileC("locks", cSource)
	if err != nil {
		return nil, err
	}
	running, err := measure.StartProgram(path)
	return &cLocks{path, running}, err
}

func (c *cLocks) stop() error { return c.running.Stop() }

// nameOf returns what a lock of a kind is called: a file of this run, or a name.
func nameOf(kind cKind) string {
	if kind == posixSemaphore {
		return "/" + measure.UniqueName(string(kind))
	}
	return measure.InDirectory(string(kind) + "-lock")
}

func (c *cLocks) lap(what string, kind cKind) measure.Lap {
	return c.running.Lap(what, string(kind), nameOf(kind))
}

// fighter returns what starts one of two processes that lock and unlock.
func (c *cLocks) fighter(kind cKind, howLong time.Duration) func() (*exec.Cmd, error) {
	ms := strconv.FormatInt(howLong.Milliseconds(), 10)
	return func() (*exec.Cmd, error) {
		return exec.Command(c.program, "fight", string(kind), nameOf(kind), ms), nil
	}
}

// remove takes away the name of what processes fought for.
func (c *cLocks) remove(kind cKind) error {
	_, err := c.lap("open", kind)(1) // which leaves none
	return err
}

// killOwner returns the time from an owner's death to when another process has the mutex.
func (c *cLocks) killOwner() (time.Duration, error) {
	owner, fromOwner, err := c.start("own")
	if err != nil {
		return 0, err
	}
	if _, err := fromOwner.ReadString('\n'); err != nil { // it has the lock
		return 0, errors.Join(err, owner.Wait())
	}
	next, fromNext, err := c.start("next")
	if err != nil {
		return 0, errors.Join(err, owner.Process.Kill(), owner.Wait())
	}
	time.Sleep(untilAsleep)
	var killed unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &killed); err != nil {
		return 0, err
	}
	err = owner.Process.Kill()
	_ = owner.Wait() // it was killed
	var locked int64
	_, scanErr := fmt.Fscanln(fromNext, &locked)
	return time.Duration(locked - killed.Nano()), errors.Join(err, scanErr, next.Wait())
}

// start starts a process that will lock, up to then.
func (c *cLocks) start(what string) (*exec.Cmd, *bufio.Reader, error) {
	child := exec.Command(c.program, what, string(robustMutex), nameOf(robustMutex))
	stdout, err := child.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := child.Start(); err != nil {
		return nil, nil, err
	}
	lines := bufio.NewReader(stdout)
	_, err = lines.ReadString('\n')
	return child, lines, err
}
