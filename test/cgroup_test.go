package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/object"
)

// memoryGroup makes a memory cgroup with a limit, of version 1 or 2, and returns a
// function that moves a process into it.
func memoryGroup(t *testing.T, limit int64) (enter func(*peer)) {
	t.Helper()
	linuxOnly(t, "it has no cgroups")
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	for _, version := range []struct{ options, file string }{
		{"-t cgroup2 cgroup2", "memory.max"},
		{"-t cgroup -o memory cgroup", "memory.limit_in_bytes"},
	} {
		mounted := t.TempDir()
		if exec.Command("mount", append(strings.Fields(version.options), mounted)...).Run() != nil {
			continue
		}
		t.Cleanup(func() { succeed(t, "umount", exec.Command("umount", mounted).Run()) })
		group := filepath.Join(mounted, fmt.Sprintf("filemap-test-%d", os.Getpid()))
		succeed(t, "Mkdir", os.Mkdir(group, 0o700))
		t.Cleanup(func() { succeed(t, "Remove", os.Remove(group)) })
		// Version 2 has the file only where version 1 does not have the controller.
		control := filepath.Join(mounted, "cgroup.subtree_control")
		_ = os.WriteFile(control, []byte("+memory"), 0)
		file := filepath.Join(group, version.file)
		if os.WriteFile(file, []byte(strconv.FormatInt(limit, 10)), 0) != nil {
			continue
		}
		return func(p *peer) {
			pid := []byte(strconv.Itoa(p.cmd.Process.Pid))
			succeed(t, "WriteFile", os.WriteFile(filepath.Join(group, "cgroup.procs"), pid, 0))
		}
	}
	t.Skip("needs memory cgroups")
	return nil
}

// TestMemoryGroup creates more than a process's memory cgroup may hold, at once
// and bit by bit. It must be refused before the system kills the process.
func TestMemoryGroup(t *testing.T) {
	enter := memoryGroup(t, 64*mib)
	ns := filemaptest.New(t)
	for _, size := range []int64{200 * mib, 70 * mib, 10 * mib, mib, 300 << 10} {
		p := startPeer(t)
		enter(p)
		var err error
		for i := 0; err == nil && int64(i) < 80*mib/size+1; i++ {
			err = p.create(ns.Name(fmt.Sprint("Large", size, "-", i)), size, nil)
		}
		expect(t, fmt.Sprintf("Create, %d KiB at a time", size>>10), err, object.ErrNoSpace)
		if text := fmt.Sprint(err); !strings.Contains(text, "memory cgroup") ||
			!strings.Contains(text, "of its 64 MiB") {
			t.Errorf("the error is %q, want one that tells of the memory cgroup", text)
		}
		succeed(t, "Create a small one", p.create(ns.Name("Small"), 4096, nil))
		p.exit()
	}
}
