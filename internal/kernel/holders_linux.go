package kernel

import (
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
// namespaces are not listed. The system hands out a page of it at a time; of
// what comes and goes meanwhile, and what lies behind it, lines may be left
// out. So what is longer is read twice.
func (h host) Holders() (map[objmgr.FileID][]int, error) {
	holders := make(map[objmgr.FileID][]int)
	for range 2 {
		text, err := os.ReadFile("/proc/locks")
		if err != nil {
			return nil, err
		}
		addHolders(holders, string(text))
		if len(text) < os.Getpagesize() {
			break
		}
	}
	return holders, nil
}

func addHolders(holders map[objmgr.FileID][]int, locks string) {
	for line := range strings.Lines(locks) {
		fields := strings.Fields(line)
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
