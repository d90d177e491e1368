package kernel

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/filemap-go/filemap/internal/objmgr"
	"github.com/filemap-go/filemap/internal/sys"
)

// fakeCgroup returns a directory with files, of which each holds a newline.
func fakeCgroup(t *testing.T, files ...string) *jobCgroup {
	t.Helper()
	path := t.TempDir()
	for _, file := range files {
		if err := os.WriteFile(filepath.Join(path, file), []byte("\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	return &jobCgroup{dir: dir, path: path}
}

// content returns what the files of a cgroup hold.
func (g *jobCgroup) content(t *testing.T) string {
	t.Helper()
	var all []string
	entries, err := os.ReadDir(g.path)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		text, err := g.read(entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.TrimSpace(text); text != "" {
			all = append(all, entry.Name()+"="+text)
		}
	}
	return strings.Join(all, ", ")
}

func TestJobLimits(t *testing.T) {
	all := []string{"pids.max", "memory.max", "memory.oom.group", "cpu.max", "memory.swap.max"}
	tests := []struct {
		files  []string
		limits JobLimits
		want   string
		lacks  string
	}{
		{all, JobLimits{Processes: 7, Memory: 1 << 20, CPU: 1.5},
			"cpu.max=150000 100000, memory.max=1048576, memory.oom.group=1, memory.swap.max=0, pids.max=7", ""},
		{all, JobLimits{Processes: 7},
			"cpu.max=max 100000, memory.max=max, memory.oom.group=0, memory.swap.max=max, pids.max=7", ""},
		{all, JobLimits{CPU: 0.001},
			"cpu.max=1000 100000, memory.max=max, memory.oom.group=0, memory.swap.max=max, pids.max=max", ""},
		{all, JobLimits{Memory: 1 << 20, ProcessMemory: 1}, "", "each process"},
		{all[:1], JobLimits{Processes: 7}, "pids.max=7", ""},
		{all[:1], JobLimits{Processes: 7, Memory: 1}, "", "controller memory"},
		{all[:3], JobLimits{Processes: 7, CPU: 1}, "", "controller cpu"},
		{nil, JobLimits{Processes: 7}, "", "controller pids"},
		{nil, JobLimits{}, "", ""},
	}
	for _, test := range tests {
		g := fakeCgroup(t, test.files...)
		err := g.limit(test.limits)
		switch {
		case test.lacks == "" && err != nil:
			t.Errorf("%+v with %v: %v", test.limits, test.files, err)
		case test.lacks != "" && (!errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), test.lacks)):
			t.Errorf("%+v with %v: %v, want an error that names the %s", test.limits, test.files, err, test.lacks)
		}
		if got := g.content(t); got != test.want {
			t.Errorf("%+v with %v wrote %q, want %q", test.limits, test.files, got, test.want)
		}
	}
}

func TestCgroupNumbers(t *testing.T) {
	g := fakeCgroup(t)
	for file, text := range map[string]string{
		"cpu.stat": "nice_usec 1\nusage_usec 2500\nuser_usec 7\n", "memory.peak": "4096\n",
		"memory.events": "oom 1\noom_kill 3\noom_group_kill 1\n",
	} {
		if err := os.WriteFile(filepath.Join(g.path, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var stats JobStats
	stats.addCgroup(g)
	if stats.CPU.Microseconds() != 2500 || stats.Peak != 4096 || stats.Killed != 3 ||
		!stats.Known.CPU || !stats.Known.Peak || !stats.Known.Killed {
		t.Errorf("%+v", stats)
	}
	stats = JobStats{}
	stats.addCgroup(fakeCgroup(t))
	if stats != (JobStats{}) {
		t.Errorf("without controllers: %+v", stats)
	}
}

// TestOpenCgroupTrustsNoPage gives openCgroup what another user could have written in
// a job's page.
func TestOpenCgroupTrustsNoPage(t *testing.T) {
	const id = 0x0123456789abcdef
	uid := uint32(sys.Geteuid())
	fake := filepath.Join(t.TempDir(), cgroupName(id))
	if err := os.Mkdir(fake, 0o700); err != nil {
		t.Fatal(err)
	}
	wrong := map[string]objmgr.Cgroup{
		"none":              {Path: "", ID: id, Owner: uid},
		"an ordinary place": {Path: fake, ID: id, Owner: uid},
		"nothing there":     {Path: "/" + cgroupName(id), ID: id, Owner: uid},
	}
	if real := realCgroup(t, id); real != "" {
		link := filepath.Join(t.TempDir(), cgroupName(id))
		if err := os.Symlink(real, link); err != nil {
			t.Fatal(err)
		}
		wrong["a link"] = objmgr.Cgroup{Path: link, ID: id, Owner: uid}
		wrong["another job's"] = objmgr.Cgroup{Path: real, ID: id + 1, Owner: uid}
		wrong["another user's"] = objmgr.Cgroup{Path: real, ID: id, Owner: uid + 1}
		wrong["one above"] = objmgr.Cgroup{Path: filepath.Dir(real), ID: id, Owner: uid}
		g, err := openCgroup(objmgr.Cgroup{Path: real, ID: id, Owner: uid})
		if err != nil {
			t.Errorf("the job's own: %v", err)
		} else {
			g.dir.Close()
		}
	}
	for what, c := range wrong {
		if g, err := openCgroup(c); err == nil {
			t.Errorf("%s: opened", what)
			g.dir.Close()
		}
	}
}

// realCgroup makes a cgroup for the test, and returns its path, or "".
func realCgroup(t *testing.T, id uint64) string {
	t.Helper()
	g, err := makeCgroup(id, false)
	if err != nil {
		t.Logf("without a cgroup: %v", err)
		return ""
	}
	t.Cleanup(g.remove)
	return g.path
}
