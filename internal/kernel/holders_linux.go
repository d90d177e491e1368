package kernel

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/filemap-go/filemap/internal/objmgr"
	"github.com/filemap-go/filemap/internal/sys"
)

// Holders reads /proc/locks: proc(5). A line is
//
//	1: FLOCK  ADVISORY  READ 1234 00:19:5678 0 EOF
//
// with the process and the file's device and inode. Processes of other PID
// namespaces are not listed.
func (h host) Holders() (map[objmgr.FileID][]int, error) {
	file, err := os.Open("/proc/locks")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	holders := make(map[objmgr.FileID][]int)
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 6 || fields[1] != "FLOCK" || fields[3] != "READ" {
			continue
		}
		pid, err := strconv.Atoi(fields[4])
		var major, minor uint32
		var inode uint64
		if _, scanErr := fmt.Sscanf(fields[5], "%x:%x:%d", &major, &minor, &inode); err != nil || scanErr != nil {
			continue
		}
		id := objmgr.FileID{Dev: sys.Mkdev(major, minor), Ino: inode}
		if !slices.Contains(holders[id], pid) {
			holders[id] = append(holders[id], pid)
		}
	}
	return holders, nil
}

// Executable returns the path of a process's program, or its short name where
// this user may not see the path.
func Executable(pid int) string {
	proc := "/proc/" + strconv.Itoa(pid)
	if path, err := os.Readlink(proc + "/exe"); err == nil {
		return path
	}
	comm, _ := os.ReadFile(proc + "/comm")
	return strings.TrimSpace(string(comm))
}
