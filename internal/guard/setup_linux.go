package guard

import (
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// The names of guards and keepers, by which the hook knows them: the first argument
// of a program's own process is another.
const (
	prefix          = "filemap-guard-"
	outerName       = prefix + "outer"
	innerName       = prefix + "inner"
	outerKeeperName = prefix + "keeper-outer"
	innerKeeperName = prefix + "keeper-inner"
)

// Setup is what guards and keepers must know of their job.
type Setup struct {
	Descriptor int    // of the job's file, opened for them alone
	HandleByte int64  // of the job's file: locked while there is a handle
	GuardBytes int64  // the first of the bytes that guards lock: see Byte
	StateAt    int    // of the page: the word that waits for the job sleep on
	StopAt     int    // the word that counts how often the job was terminated, and guards sleep on
	Stop       uint64 // the value that it had before the start
	Leave      bool   // leave the members alone when the last handle is gone
	Name       string // the path of the job's file, to be removed with the last handle
	Keep       int    // how many further files they keep open
	Cgroup     string // the name of the job's cgroup, for keepers; "" for guards
}

const setupArguments = 11 // with the guard's name

// arguments returns the arguments of a guard, followed by the command's own.
func (s Setup) arguments(guard, path string, arguments []string) []string {
	return append([]string{
		guard, strconv.Itoa(s.Descriptor), number(s.HandleByte), number(s.GuardBytes),
		number(int64(s.StateAt)), number(int64(s.StopAt)), number(int64(s.Stop)),
		strconv.FormatBool(s.Leave), s.Name, strconv.Itoa(s.Keep),
		s.Cgroup, path,
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
		Cgroup: arguments[10],
	}
	return s, arguments[setupArguments], arguments[setupArguments+1:], true
}

// Files are what guards and keepers have open.
type Files struct {
	Job    *os.File   // the job's file, opened for them alone
	Report *os.File   // a pipe on which they report the start
	Keep   []*os.File // see Setup.Keep
	Cgroup *os.File   // the cgroup's directory, for keepers
}

// Wrap has a command run under guards. For keepers of a cgroup, it is an empty one.
func Wrap(cmd *exec.Cmd, program string, s Setup, files Files) {
	const standard = 3
	s.Descriptor = standard + len(cmd.ExtraFiles)
	s.Keep = len(files.Keep)
	cmd.ExtraFiles = slices.Concat(cmd.ExtraFiles, []*os.File{files.Job, files.Report}, files.Keep)
	name := outerName
	if s.Cgroup != "" {
		name = outerKeeperName
		cmd.ExtraFiles = append(cmd.ExtraFiles, files.Cgroup)
	}
	arguments := cmd.Args
	if len(arguments) == 0 {
		arguments = []string{cmd.Path}
	}
	cmd.Args = s.arguments(name, cmd.Path, arguments)
	cmd.Path = program
}

// The descriptors that guards have besides the command's: the job's file, the pipe
// that they report the start on, and what they keep. After that come the cgroup of
// keepers and the inner one's events of that, or the inner guard's end of the socket
// between both guards.
func (s Setup) report() int { return s.Descriptor + 1 }
func (s Setup) cgroup() int { return s.Descriptor + 2 + s.Keep }
func (s Setup) events() int { return s.cgroup() + 1 }
func (s Setup) socket() int { return s.cgroup() }

// own returns those of the outer one of a pair.
func (s Setup) own() (all []int) {
	end := s.cgroup()
	if s.Cgroup != "" {
		end++
	}
	for fd := s.Descriptor; fd < end; fd++ {
		all = append(all, fd)
	}
	return all
}

// Byte returns the position of the byte that a guard has locked. The system tells
// others, who see the lock, which process it is.
func (s Setup) Byte(pid int) int64 { return s.GuardBytes + int64(pid) }

// The bytes of keepers, beside those of guards: see package layout.
func (s Setup) membersByte() int64 { return s.GuardBytes }
func (s Setup) keepersByte() int64 { return s.GuardBytes - 1 }

// isGuard reports whether a process's arguments are those of a guard.
func isGuard(argument string) bool { return strings.HasPrefix(argument, prefix) }
