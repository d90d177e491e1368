package job_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// isolateCgroup moves this process into a cgroup of its own, if it can. What leave
// then finds in it, a test has left behind.
func isolateCgroup() (leave func() error) {
	leave = func() error { return nil }
	mount, group := cgroupMount(), ownCgroup()
	if mount == "" || group == "" {
		return leave
	}
	own := filepath.Join(mount, group)
	dir := filepath.Join(own, "job-test-"+strconv.Itoa(os.Getpid()))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return leave
	}
	if err := enterCgroup(dir); err != nil {
		os.Remove(dir)
		return leave
	}
	return func() error {
		if err := enterCgroup(own); err != nil {
			return err
		}
		err := os.Remove(dir)
		for range 200 { // what was killed last needs a moment
			if err == nil {
				return nil
			}
			time.Sleep(10 * time.Millisecond)
			err = os.Remove(dir)
		}
		return fmt.Errorf("%w, with the cgroups %q", err, cgroupsIn(dir))
	}
}

// cgroupMount returns where cgroups of version 2 are mounted, or "".
func cgroupMount() string {
	text, _ := os.ReadFile("/proc/self/mountinfo")
	for line := range strings.Lines(string(text)) {
		if head, _, ok := strings.Cut(line, " - cgroup2 "); ok {
			return strings.Fields(head)[4]
		}
	}
	return ""
}

func ownCgroup() string {
	text, _ := os.ReadFile("/proc/self/cgroup")
	for line := range strings.Lines(string(text)) {
		if group, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			return group
		}
	}
	return ""
}

func enterCgroup(dir string) error {
	return os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0)
}

// cgroupsIn returns the cgroups of jobs in a directory.
func cgroupsIn(dir string) []string {
	found, _ := filepath.Glob(filepath.Join(dir, "filemap-*"))
	return found
}
