package guard

import (
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// The names of the guards, by which the hook knows them: the first argument of a
// program's own process is another.
const (
	outerName = "filemap-guard-outer"
	innerName = "filemap-guard-inner"
)

// Setup is what guards must know of their job.
type Setup struct {
	Descriptor int    // of the job's file, opened for the guards alone
	HandleByte int64  // of the job's file: locked while there is a handle
	GuardBytes int64  // the first of the bytes that guards lock: see Byte
	StateAt    int    // of the page: the word that waits for the job sleep on
	StopAt     int    // the word that changes when somebody terminates the job
	Stop       uint64 // the value that it had before the start
	Leave      bool   // leave the members alone when the last handle is gone
	Name       string // the path of the job's file, to be removed with the last handle
	Keep       int    // how many further files the guards keep open, as long as there are members
	Cgroup     string // the name of the job's cgroup, or "" if the command is to have none
	Exact      bool   // start the command in the cgroup or not at all
}

const setupArguments = 12 // with the guard's name

// arguments returns the arguments of a guard, followed by the command's own.
func (s Setup) arguments(guard, path string, arguments []string) []string {
	return append([]string{
		guard, strconv.Itoa(s.Descriptor), number(s.HandleByte), number(s.GuardBytes),
		number(int64(s.StateAt)), number(int64(s.StopAt)), number(int64(s.Stop)),
		strconv.FormatBool(s.Leave), s.Name, strconv.Itoa(s.Keep),
		s.Cgroup, strconv.FormatBool(s.Exact), path,
	}, arguments...)
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// parse returns the setup and the command of a guard.
func parse(arguments []string) (s Setup, path string, command []string, ok bool) {
	if len(arguments) < setupArguments+2 {
		return s, "", nil, false
	}
	var numbers [6]int64
	for i := range numbers {
		n, err := strconv.ParseInt(arguments[1+i], 10, 64)
		if err != nil {
			return s, "", nil, false
		}
		numbers[i] = n
	}
	keep, err := strconv.Atoi(arguments[9])
	if err != nil {
		return s, "", nil, false
	}
	s = Setup{
		Descriptor: int(numbers[0]), HandleByte: numbers[1], GuardBytes: numbers[2],
		StateAt: int(numbers[3]), StopAt: int(numbers[4]), Stop: uint64(numbers[5]),
		Leave: arguments[7] == "true", Name: arguments[8], Keep: keep,
		Cgroup: arguments[10], Exact: arguments[11] == "true",
	}
	return s, arguments[setupArguments], arguments[setupArguments+1:], true
}

// Files are what guards have open.
type Files struct {
	Job    *os.File   // the job's file, opened for the guards alone
	Report *os.File   // a pipe on which they report the start
	Keep   []*os.File // see Setup.Keep
	Cgroup *os.File   // the cgroup's directory, if there is one
}

// Wrap has a command run under guards.
func Wrap(cmd *exec.Cmd, program string, s Setup, files Files) {
	const standard = 3
	s.Descriptor = standard + len(cmd.ExtraFiles)
	s.Keep = len(files.Keep)
	cmd.ExtraFiles = slices.Concat(cmd.ExtraFiles, []*os.File{files.Job, files.Report}, files.Keep)
	if s.Cgroup != "" {
		cmd.ExtraFiles = append(cmd.ExtraFiles, files.Cgroup)
	}
	arguments := cmd.Args
	if len(arguments) == 0 {
		arguments = []string{cmd.Path}
	}
	cmd.Args = s.arguments(outerName, cmd.Path, arguments)
	cmd.Path = program
}

// The descriptors that guards have besides the command's: the job's file, the pipe
// that they report the start on, what they keep, the cgroup if there is one, and the
// inner guard's end of the socket between both.
func (s Setup) report() int { return s.Descriptor + 1 }
func (s Setup) cgroup() int { return s.Descriptor + 2 + s.Keep }
func (s Setup) socket() int {
	if s.Cgroup == "" {
		return s.cgroup()
	}
	return s.cgroup() + 1
}

// own returns those of the outer guard.
func (s Setup) own() (all []int) {
	for fd := s.Descriptor; fd < s.socket(); fd++ {
		all = append(all, fd)
	}
	return all
}

// Byte returns the position of the byte that a guard has locked. The system tells
// others, who see the lock, which process it is.
func (s Setup) Byte(pid int) int64 { return s.GuardBytes + int64(pid) }

// isGuard reports whether a process's arguments are those of a guard.
func isGuard(argument string) bool { return strings.HasPrefix(argument, "filemap-guard-") }
