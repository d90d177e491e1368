package kernel

import "github.com/filemap-go/filemap/internal/sys"

// Process implements the contract. The command is the program's path.
func Process(pid int) (parent int, command string, ok bool) {
	process, err := sys.OpenProcess(sys.PROCESS_QUERY_LIMITED_INFORMATION, pid)
	if err != nil {
		return 0, "", err == sys.ERROR_ACCESS_DENIED
	}
	defer sys.CloseHandle(process)
	parent, _ = sys.Parent(process)
	command, _ = sys.ImageName(process)
	return parent, command, true
}
