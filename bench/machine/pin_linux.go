package machine

import (
	"errors"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// Processors returns two that this process may use, for pinning.
func Processors() (client, server int, ok bool) {
	var allowed unix.CPUSet
	if unix.SchedGetaffinity(0, &allowed) != nil || allowed.Count() < 2 {
		return 0, 0, false
	}
	var found []int
	for i := 0; len(found) < 2; i++ {
		if allowed.IsSet(i) {
			found = append(found, i)
		}
	}
	return found[0], found[1], true
}

// StartOn starts a process that may use one processor only, all its threads: it
// inherits that from the thread that starts it.
func StartOn(processor int, child *exec.Cmd) error { return On(processor, child.Start) }

// On calls f on a thread that may use one processor only.
func On(processor int, f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, only unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return err
	}
	only.Set(processor)
	if err := unix.SchedSetaffinity(0, &only); err != nil {
		return err
	}
	return errors.Join(f(), unix.SchedSetaffinity(0, &before))
}
