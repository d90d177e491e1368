package machine

import (
	"errors"
	"os/exec"
)

// Processors finds none: pinning is for Linux here.
func Processors() (client, server int, ok bool) { return 0, 0, false }

// StartOn is for Linux.
func StartOn(int, *exec.Cmd) error { return errors.ErrUnsupported }

// On is for Linux.
func On(int, func() error) error { return errors.ErrUnsupported }
