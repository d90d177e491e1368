package guard

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/filemap-go/filemap/internal/sys"
)

// signalMax is the highest number of a signal.
const signalMax = 64

// catch returns the signals that would end or stop a guard, except for those that
// this process was started to ignore, as nohup(1) has it: those the command ignores,
// too. Signals that are caught are not ignored by the command.
func catch() <-chan os.Signal {
	caught := make(chan os.Signal, 16)
	for s := syscall.Signal(1); s <= signalMax; s++ {
		switch s {
		case syscall.SIGCHLD, syscall.SIGURG, syscall.SIGPIPE: // of this process
			continue
		}
		if !signal.Ignored(s) {
			signal.Notify(caught, s)
		}
	}
	return caught
}

// isForCommand reports whether a signal that the outer guard got is to be passed on
// to the command. The terminal sends those of its keys, and of its size, to every
// process in the foreground: the command has them already.
func isForCommand(s syscall.Signal) bool {
	switch s {
	case syscall.SIGTTIN, syscall.SIGTTOU: // the guard touched the terminal
		return false
	case syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTSTP, syscall.SIGWINCH:
		group := sys.ForegroundGroup()
		return group == 0 || group != syscall.Getpgrp()
	}
	return true
}
