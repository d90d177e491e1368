package locks

import (
	"os/exec"
	"time"
)

// startRobust finds no such mutexes here.
func startRobust(time.Duration) (func() (*exec.Cmd, error), error) { return nil, exec.ErrNotFound }
