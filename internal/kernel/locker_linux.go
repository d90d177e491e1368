package kernel

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/filemap-go/filemap/internal/objmgr"
	"github.com/filemap-go/filemap/internal/sys"
)

// lockerTime bounds the search for a locker, which looks at every open file of
// every process that this user may inspect.
const lockerTime = 200 * time.Millisecond

// Locker implements objmgr.Host. The description that has a lock of a byte
// belongs to no process, so /proc/locks does not tell whose it is. The fdinfo of
// each descriptor tells of its locks: proc_pid_fdinfo(5).
func (h host) Locker(file objmgr.FileID, pos int64) (pid int, program string) {
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for began := time.Now(); len(processes) > 0 && time.Since(began) < lockerTime; {
		proc := processes[0]
		processes = processes[1:]
		number, err := strconv.Atoi(filepath.Base(proc))
		if err == nil && hasLock(proc, file, pos) {
			pid = number
			if pid != os.Getpid() {
				break
			}
		}
	}
	if pid == 0 {
		return 0, ""
	}
	return pid, filepath.Base(Executable(pid))
}

// hasLock reports whether a process has a file locked at a position.
func hasLock(proc string, file objmgr.FileID, pos int64) bool {
	descriptors, _ := os.ReadDir(proc + "/fd")
	for _, d := range descriptors {
		stat, err := sys.StatPath(proc + "/fd/" + d.Name())
		if err != nil || stat.Dev != file.Dev || stat.Ino != file.Ino {
			continue
		}
		info, err := os.ReadFile(proc + "/fdinfo/" + d.Name())
		if err == nil && locksByte(string(info), pos) {
			return true
		}
	}
	return false
}

// locksByte reports whether an fdinfo has a lock of the byte at a position, or
// for objmgr.WholeFile an exclusive one of the whole file. Its lines are
//
//	lock:	1: OFDLCK ADVISORY  WRITE -1 00:19:5678 4096 4096
//	lock:	2: FLOCK  ADVISORY  WRITE 1234 00:19:5678 0 EOF
func locksByte(info string, pos int64) bool {
	byteWanted := strconv.FormatInt(pos, 10)
	for line := range strings.Lines(info) {
		f := strings.Fields(line)
		switch {
		case len(f) != 9 || f[0] != "lock:":
		case pos == objmgr.WholeFile && f[2] == "FLOCK" && f[4] == "WRITE",
			f[2] == "OFDLCK" && f[7] == byteWanted:
			return true
		}
	}
	return false
}
