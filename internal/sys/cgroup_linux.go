package sys

import (
	"cmp"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// A cgroup of version 2 is a directory: cgroups(7). These functions take an open
// one, since another cgroup can come to have the path.

// IsCgroup reports whether an open file is of a file system of version 2.
func IsCgroup(fd int) bool {
	var st unix.Statfs_t
	err := retry(func() error { return unix.Fstatfs(fd, &st) })
	return err == nil && uint32(st.Type) == unix.CGROUP2_SUPER_MAGIC
}

// ReadCgroup reads a file of a cgroup: ENOENT or ENODEV once that was removed.
func ReadCgroup(dir int, file string) (string, error) {
	fd, err := openIn(dir, file, unix.O_RDONLY)
	if err != nil {
		return "", err
	}
	f := os.NewFile(uintptr(fd), file)
	defer f.Close()
	text, err := io.ReadAll(f)
	return string(text), err
}

// WriteCgroup writes to a file of a cgroup.
func WriteCgroup(dir int, file, text string) error {
	fd, err := openIn(dir, file, unix.O_WRONLY|unix.O_TRUNC)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	_, err = unix.Write(fd, []byte(text))
	return err
}

func openIn(dir int, file string, flags int) (fd int, err error) {
	err = retry(func() error {
		fd, err = unix.Openat(dir, file, flags|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
		return err
	})
	return fd, err
}

// MakeCgroup makes a cgroup in another one, if there is none of the name, and opens
// it.
func MakeCgroup(dir int, name string) (int, error) {
	const mode = 0o700
	err := unix.Mkdirat(dir, name, mode)
	if err != nil && err != unix.EEXIST {
		return 0, err
	}
	return openIn(dir, name, unix.O_RDONLY|unix.O_DIRECTORY)
}

// CgroupAbove opens the cgroup that another one is in, wherever a path to that leads
// now.
func CgroupAbove(dir int) (int, error) {
	return openIn(dir, "..", unix.O_PATH|unix.O_DIRECTORY)
}

// KillCgroup kills all processes of a cgroup and of those below it, also such as
// are being forked: Linux 5.14.
//
// After that, Linux may kill each process that begins in the cgroup by
// SysProcAttr.CgroupFD, so no command can be started in it any more: 6.18 does.
func KillCgroup(dir int) error { return WriteCgroup(dir, "cgroup.kill", "1") }

// CgroupPopulated reports whether a cgroup, or one below it, has processes. One
// that was removed has none.
func CgroupPopulated(dir int) (bool, error) {
	events, err := ReadCgroup(dir, "cgroup.events")
	if err == unix.ENOENT || isGone(err) {
		return false, nil
	}
	return strings.Contains(events, "populated 1"), err
}

// isGone reports whether a cgroup was removed between the opening of its file and
// the reading.
func isGone(err error) bool {
	failed, ok := err.(*os.PathError)
	return ok && failed.Err == unix.ENODEV
}

// CgroupEvents is a descriptor that tells of changes of what CgroupPopulated reports:
// up to 10 ms late, if there were others shortly before.
type CgroupEvents int

// WatchCgroup opens the events of a cgroup. Those from now on count.
func WatchCgroup(dir int) (CgroupEvents, error) {
	fd, err := openIn(dir, "cgroup.events", unix.O_RDONLY)
	if err != nil {
		return 0, err
	}
	_, err = CgroupEvents(fd).Populated()
	return CgroupEvents(fd), err
}

// Populated is CgroupPopulated, with an error for a cgroup that was removed.
func (e CgroupEvents) Populated() (bool, error) {
	var text [256]byte
	n, err := unix.Pread(int(e), text[:], 0)
	return strings.Contains(string(text[:max(n, 0)]), "populated 1"), err
}

// Await returns when there is a change since Populated was called last, by whatever
// process, and no
// later than after a number of milliseconds that is not negative.
func (e CgroupEvents) Await(milliseconds int) {
	_ = retry(func() error {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(e), Events: unix.POLLPRI}}, milliseconds)
		return err
	})
}

// CgroupProcesses returns the processes of a cgroup and of those below it, and how
// many there are in other PID namespaces.
func CgroupProcesses(dir int) (pids []int, unseen int, err error) {
	text, err := ReadCgroup(dir, "cgroup.procs")
	for field := range strings.FieldsSeq(text) {
		pid, _ := strconv.Atoi(field)
		if pid == 0 {
			unseen++
			continue
		}
		pids = append(pids, pid)
	}
	EachCgroup(dir, func(below int, _ string) {
		more, others, _ := CgroupProcesses(below) // it may be removed meanwhile
		pids, unseen = append(pids, more...), unseen+others
	})
	return pids, unseen, err
}

// RemoveCgroup removes a cgroup, and those below it, by its name. The system
// refuses that, with EBUSY, as long as one of them has processes.
func RemoveCgroup(dir int, name string) error {
	parent, err := CgroupAbove(dir)
	if err != nil {
		return err
	}
	defer unix.Close(parent)
	return removeIn(parent, dir, name)
}

func removeIn(parent, dir int, name string) error {
	err := unix.Unlinkat(parent, name, unix.AT_REMOVEDIR)
	if err != unix.EBUSY {
		return err
	}
	if populated, err := CgroupPopulated(dir); err != nil || populated {
		return unix.EBUSY
	}
	EachCgroup(dir, func(below int, name string) { _ = removeIn(dir, below, name) })
	return unix.Unlinkat(parent, name, unix.AT_REMOVEDIR)
}

// EachCgroup calls f for the cgroups in a cgroup, open, with their names.
func EachCgroup(dir int, f func(below int, name string)) {
	fd, err := openIn(dir, ".", unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return
	}
	list := os.NewFile(uintptr(fd), "cgroup")
	defer list.Close()
	entries, _ := list.ReadDir(-1)
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		if below, err := openIn(dir, entry.Name(), unix.O_RDONLY|unix.O_DIRECTORY); err == nil {
			f(below, entry.Name())
			unix.Close(below)
		}
	}
}

// EnterCgroup starts a process in a cgroup that ends before it becomes a program,
// and returns the error with which the system refuses that: ECANCELED if it kills
// the process.
func EnterCgroup(dir int) error {
	const noProgram = "/dev/null/none" // ENOTDIR, which no refusal of the cgroup is
	pid, err := syscall.ForkExec(noProgram, []string{noProgram}, &syscall.ProcAttr{
		Sys: &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: dir},
	})
	switch err {
	case unix.ENOTDIR:
		return nil
	case nil:
		_, err = unix.Wait4(pid, nil, 0, nil)
		return cmp.Or(err, error(unix.ECANCELED))
	}
	return err
}
