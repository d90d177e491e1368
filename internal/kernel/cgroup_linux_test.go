package kernel

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestCgroupPaths finds the groups of a process from what /proc shows in several
// arrangements.
func TestCgroupPaths(t *testing.T) {
	const v2 = "30 25 0:25 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
	tests := map[string]struct {
		mountinfo, cgroup string
		want              []string
	}{
		"version 2": {v2, "0::/user.slice/a.scope\n", []string{
			"/sys/fs/cgroup/user.slice/a.scope", "/sys/fs/cgroup/user.slice", "/sys/fs/cgroup"}},
		"version 2, a namespace":   {v2, "0::/\n", []string{"/sys/fs/cgroup"}},
		"version 2, outside of it": {v2, "0::/../b\n", []string{"/sys/fs/cgroup"}},
		"version 1": {
			"35 30 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
			"4:memory,hugetlb:/a\n3:cpu:/b\n0::/c\n",
			[]string{"/sys/fs/cgroup/memory/a", "/sys/fs/cgroup/memory"}},
		"version 1, a container": {
			"35 30 0:30 /docker/1 /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
			"4:memory:/docker/1\n", []string{"/sys/fs/cgroup/memory"}},
		"version 1, the beginning of another's name": {
			"35 30 0:30 /docker/1 /m rw - cgroup cgroup rw,memory\n",
			"4:memory:/docker/12\n", []string{"/m"}},
		"both": {
			"31 30 0:26 / /u rw - cgroup2 cgroup rw\n35 30 0:30 / /m\\040m rw - cgroup x rw,memory\n",
			"4:memory:/a\n0::/b\n", []string{"/u/b", "/u", "/m m/a", "/m m"}},
		"other controllers": {"31 30 0:26 / /c rw - cgroup cgroup rw,cpu\n", "4:cpu:/a\n", nil},
		"nonsense":          {"a b c - d\n\n - \n1 2 3 / /m", "x\n1:2\n", nil},
	}
	for name, test := range tests {
		var got []string
		for _, h := range parseMounts(test.mountinfo) {
			got = append(got, h.path(h.group(test.cgroup))...)
		}
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestCgroupLeft(t *testing.T) {
	const mib, none = 1 << 20, math.MaxInt64
	v1, v2 := hierarchy{version: 1}, hierarchy{version: 2}
	tests := []struct {
		h        hierarchy
		files    string // NAME=CONTENT, a comma for the end of a line
		swapFree int64
		want     int64
	}{
		{v1, "limit_in_bytes=67108864 usage_in_bytes=16777216 " +
			"stat=active_file:9,total_inactive_file:1048576,total_active_file:2097152", 0, 51 * mib},
		{v1, "limit_in_bytes=9223372036854771712", 0, none},
		{v1, "limit_in_bytes=67108864 usage_in_bytes=16777216", 8 * mib, 56 * mib},
		{v1, "limit_in_bytes=67108864 usage_in_bytes=16777216 " +
			"memsw.limit_in_bytes=67108864 memsw.usage_in_bytes=16777216", 8 * mib, 48 * mib},
		{v2, "max=67108864 current=16777216 stat=anon:4096,inactive_file:1048576", 0, 49 * mib},
		{v2, "max=max current=1", 0, none},
		{v2, "", 0, none}, // the root
		{v2, "max=4096 current=8192", 0, 0},
		{v2, "max=67108864 current=67108864 swap.max=4194304 swap.current=1048576", 8 * mib, 3 * mib},
		{v2, "max=67108864 current=67108864 swap.max=max", 8 * mib, 8 * mib},
	}
	content := strings.NewReplacer(",", "\n", ":", " ")
	for _, test := range tests {
		dir := t.TempDir()
		for _, file := range strings.Fields(test.files) {
			name, text, _ := strings.Cut(file, "=")
			text = content.Replace(text) + "\n"
			if err := os.WriteFile(filepath.Join(dir, "memory."+name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		g := test.h.at(dir)
		got := g.limit
		if got != none {
			got = g.left(test.swapFree)
		}
		if got != test.want {
			t.Errorf("version %d, %s: %d, want %d", test.h.version, test.files, got, test.want)
		}
	}
}
