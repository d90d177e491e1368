package machine

import (
	"errors"
	"os/exec"
)

// Processors finds none: pinning is for Linux here.
func Processors() (client, server int, ok bool) { return 0, 0, false }

func StartOn(int, *exec.Cmd) error { return errors.ErrUnsupported }
