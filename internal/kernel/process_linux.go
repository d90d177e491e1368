package kernel

import (
	"os"
	"strconv"
	"strings"

	"github.com/filemap-go/filemap/internal/sys"
)

// Process implements the contract. The command is the command line, or the program's
// name in brackets, as ps(1) shows it, for a process that has none.
func Process(pid int) (parent int, command string, ok bool) {
	proc := "/proc/" + strconv.Itoa(pid)
	line, err := os.ReadFile(proc + "/cmdline")
	if err != nil {
		return 0, "", false
	}
	command = strings.ReplaceAll(strings.TrimSuffix(string(line), "\x00"), "\x00", " ")
	if command == "" {
		name, _ := os.ReadFile(proc + "/comm")
		command = "[" + strings.TrimSpace(string(name)) + "]"
	}
	return sys.Parent(pid), command, true
}
