package machine

import (
	"time"

	"golang.org/x/sys/windows"
)

// ProcessorTime returns the processor time that this process has used.
func ProcessorTime() time.Duration {
	var created, exited, kernel, user windows.Filetime
	_ = windows.GetProcessTimes(windows.CurrentProcess(), &created, &exited, &kernel, &user)
	return inFiletime(kernel) + inFiletime(user)
}

// inFiletime returns the duration that a count of 100 ns stands for.
func inFiletime(t windows.Filetime) time.Duration {
	return time.Duration(int64(t.HighDateTime)<<32|int64(t.LowDateTime)) * 100
}
