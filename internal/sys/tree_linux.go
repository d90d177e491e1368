package sys

import (
	"os"
	"strconv"
	"strings"
	"sync"
)

// Children returns the children of a process, as far as they stay the same while it
// looks: proc_pid_children(5).
func Children(pid int) (all []int) {
	if !haveChildren() {
		return childrenByParent(pid)
	}
	for _, thread := range threads(pid) {
		text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/task/" + thread + "/children") // or it has ended
		for _, field := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				all = append(all, child)
			}
		}
	}
	return all
}

// threads returns the numbers of a process's threads. Most processes have one, which
// has the process's number: then the directory, which takes longer to read than all
// the rest, is not read. Its link count is 2 and the number of threads.
func threads(pid int) (all []string) {
	number := strconv.Itoa(pid)
	dir := "/proc/" + number + "/task"
	const oneThread = 3
	if stat, err := Lstat(dir); err == nil && stat.Links == oneThread {
		return []string{number}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		all = append(all, entry.Name())
	}
	return all
}

// haveChildren reports whether the system lists the children of threads.
var haveChildren = sync.OnceValue(func() bool {
	_, err := os.Stat("/proc/thread-self/children")
	return err == nil
})

// childrenByParent asks all processes for their parents.
func childrenByParent(parent int) (all []int) {
	entries, err := os.ReadDir("/proc/")
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil && Parent(pid) == parent {
			all = append(all, pid)
		}
	}
	return all
}

// Parent returns the parent of a process, or 0.
func Parent(pid int) int {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	stat := string(text)
	fields := strings.Fields(stat[strings.LastIndex(stat, ")")+1:]) // a program's name may hold anything
	if len(fields) < 2 {
		return 0
	}
	parent, _ := strconv.Atoi(fields[1])
	return parent
}
