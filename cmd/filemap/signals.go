package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// hangup is SIGHUP, a name that package syscall does not have on all systems.
const hangup = syscall.Signal(1)

// signaled is why a context ended: a signal came.
type signaled struct{ signal syscall.Signal }

func (s signaled) Error() string { return "interrupted" }

func (s signaled) Is(target error) bool { return target == context.Canceled }

// exitCode is the one that shells have for a process that a signal ended.
func (s signaled) exitCode() int { return exitSignal + int(s.signal) }

// quits gets SIGQUIT while nothing else does.
var quits = make(chan os.Signal, 1)

// endOnQuit makes SIGQUIT end the program: Go's default is to print the stack of
// every goroutine, and the exit code of a usage error.
func endOnQuit() {
	relay(quits, syscall.SIGQUIT)
	go func() {
		<-quits
		os.Exit(signaled{syscall.SIGQUIT}.exitCode())
	}()
}

// relay sends signals to a channel, except for those that this process was
// started to ignore, as nohup(1) and background jobs of scripts are.
func relay(to chan<- os.Signal, signals ...syscall.Signal) {
	for _, s := range signals {
		if !signal.Ignored(s) {
			signal.Notify(to, s)
		}
	}
}

// catchSignals makes Ctrl-C, SIGTERM, SIGQUIT and SIGHUP end the command's
// context, with a cause that is signaled. It is for commands that wait, and look
// at it: the others are simply killed.
func catchSignals(c *cobra.Command) (stop func()) {
	ctx, cancel := context.WithCancelCause(c.Context())
	caught := make(chan os.Signal, 1)
	relay(caught, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT, hangup)
	signal.Stop(quits)
	go func() {
		select {
		case s := <-caught:
			cancel(signaled{s.(syscall.Signal)})
		case <-ctx.Done():
		}
	}()
	c.SetContext(ctx)
	return func() {
		signal.Stop(caught)
		cancel(nil)
	}
}

// ignoreInterrupt returns nil for the error of a wait that Ctrl-C ended: that is
// how the command is meant to end.
func ignoreInterrupt(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// Signals by their descriptions, which are the same on every system, as their
// numbers are not.
const (
	childExited   = "child exited"
	urgentIO      = "urgent I/O condition"
	brokenPipe    = "broken pipe"
	windowChanged = "window changed"
	ttyInput      = "stopped (tty input)"
	ttyOutput     = "stopped (tty output)"
	keyStop       = "stopped" // SIGTSTP, Ctrl-Z
	stop          = "stopped (signal)"
)

// passable returns the signals that a program passes on to a command that it
// runs: all that can be caught and are not about the program itself.
func passable() (signals []syscall.Signal) {
	for s := syscall.Signal(1); s <= 64; s++ {
		switch s.String() {
		case childExited, urgentIO, brokenPipe, ttyInput, ttyOutput:
		default:
			signals = append(signals, s)
		}
	}
	return signals
}

// passOn passes signals on to a process until it has ended. The terminal sends
// those of its keys, and of its size, to every process in the foreground: the
// process has them already. Ctrl-Z then stops this process, too.
func passOn(signals <-chan os.Signal, to *os.Process, ended <-chan struct{}) {
	for {
		select {
		case s := <-signals:
			switch {
			case !fromTerminal(s):
				_ = to.Signal(s)
			case s.String() == keyStop:
				stopSelf()
			}
		case <-ended:
			return
		}
	}
}

// fromTerminal reports whether the terminal has sent a signal.
func fromTerminal(s os.Signal) bool {
	switch s.String() {
	case syscall.SIGINT.String(), syscall.SIGQUIT.String(), keyStop, windowChanged:
		return inForeground()
	}
	return false
}

// inForeground reports whether this process is in the foreground of a terminal,
// which need not be its standard input.
func inForeground() bool {
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return isTerminal(os.Stdin)
	}
	// PID (NAME) STATE PPID PGRP SESSION TTY TPGID ...: see proc(5).
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	return len(fields) > 5 && fields[2] == fields[5]
}

func stopSelf() {
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		return
	}
	for s := syscall.Signal(1); s <= 64; s++ {
		if s.String() == stop {
			_ = self.Signal(s)
		}
	}
}
