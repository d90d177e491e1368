package job_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// leafName is the name of a cgroup whose process has its jobs beside it.
const leafName = "filemap.leaf"

// isolateCgroup moves this process into a leaf in a cgroup of its own, if it can.
// What leave then finds in it, a test has left behind.
func isolateCgroup() (leave func() error) {
	leave = func() error { return nil }
	mount, group := cgroupMount(), ownCgroup()
	if mount == "" || group == "" {
		return leave
	}
	own := filepath.Join(mount, group)
	dir := filepath.Join(jobsIn(own), "job-test-"+strconv.Itoa(os.Getpid()))
	leaf := filepath.Join(dir, leafName)
	err := os.MkdirAll(leaf, 0o755)
	if err == nil {
		err = enterCgroup(leaf)
	}
	if err != nil {
		_ = removeCgroups(leaf, dir)
		return leave
	}
	return func() error {
		if err := enterCgroup(own); err != nil {
			return err
		}
		err := removeCgroups(leaf, dir)
		// What was killed last needs a moment. Two keepers that end, one after the
		// other, need two seconds more under the race detector: it sleeps for one
		// when a process exits.
		for range 1000 {
			if err == nil {
				return nil
			}
			time.Sleep(10 * time.Millisecond)
			err = removeCgroups(leaf, dir)
		}
		return fmt.Errorf("%w, with the cgroups %q and the processes %q", err, cgroupsIn(dir), processesIn(leaf))
	}
}

func removeCgroups(dirs ...string) error {
	for _, dir := range dirs {
		if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// jobsIn returns where a process in a cgroup has the cgroups of its jobs.
func jobsIn(dir string) string {
	if filepath.Base(dir) == leafName {
		return filepath.Dir(dir)
	}
	return dir
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

// processesIn returns the status and the command line of each process in a cgroup.
func processesIn(dir string) []string {
	var found []string
	text, _ := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	for pid := range strings.FieldsSeq(string(text)) {
		stat, _ := os.ReadFile(filepath.Join("/proc", pid, "stat"))
		command, _ := os.ReadFile(filepath.Join("/proc", pid, "cmdline"))
		found = append(found, string(stat)+string(command))
	}
	return found
}

// cgroupsIn returns the cgroups of jobs in a directory.
func cgroupsIn(dir string) []string {
	found, _ := filepath.Glob(filepath.Join(dir, "filemap-*"))
	return found
}
