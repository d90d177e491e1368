package inspect

import "github.com/filemap-go/filemap/internal/kernel"

// Process is what can be told of a process, such as a member of a job.
type Process struct {
	PID     int    `json:"pid"`
	Parent  int    `json:"ppid"`    // 0 if it is unknown
	Command string `json:"command"` // the command line on Linux, the program's path on Windows; "" if it is unknown
}

// Processes returns what can be told of processes by their numbers, as far as they
// still run.
func Processes(pids []int) []Process {
	all := []Process{} // not nil: an empty list in JSON, too
	for _, pid := range pids {
		if parent, command, ok := kernel.Process(pid); ok {
			all = append(all, Process{pid, parent, command})
		}
	}
	return all
}
