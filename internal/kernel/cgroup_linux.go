package kernel

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A memory cgroup with more in use than its limit is not refused memory: the
// system kills a process of it. So what it has left is looked at first.

// hierarchy is a tree of memory cgroups, as this process sees it.
type hierarchy struct {
	version int    // 1 or 2
	root    string // the group that is at mount
	mount   string
}

// hierarchies returns what /proc/self/mountinfo shows at the first use.
var hierarchies = sync.OnceValue(func() []hierarchy {
	text, _ := os.ReadFile("/proc/self/mountinfo") // without /proc, nothing is known
	return parseMounts(string(text))
})

// parseMounts returns the hierarchies in a mountinfo: proc(5). A line is
//
//	36 35 98:0 /root /mount/point options [tag...] - type source super-options
func parseMounts(mountinfo string) []hierarchy {
	var all []hierarchy
	for line := range strings.Lines(mountinfo) {
		head, tail, _ := strings.Cut(line, " - ")
		place, kind := strings.Fields(head), strings.Fields(tail)
		if len(place) < 5 || len(kind) < 3 {
			continue
		}
		h := hierarchy{2, unescapeMount.Replace(place[3]), unescapeMount.Replace(place[4])}
		switch {
		case kind[0] == "cgroup2":
		case kind[0] == "cgroup" && slices.Contains(strings.Split(kind[2], ","), "memory"):
			h.version = 1
		default:
			continue
		}
		all = append(all, h)
	}
	return all
}

var unescapeMount = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

// group returns the path of this process's group in a hierarchy, from the text
// of /proc/self/cgroup, whose lines are ID:CONTROLLERS:PATH, or 0::PATH for
// version 2. It is "" where there is none.
func (h hierarchy) group(selfCgroup string) string {
	for line := range strings.Lines(selfCgroup) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(fields) == 3 && (h.version == 2 && fields[1] == "" ||
			h.version == 1 && slices.Contains(strings.Split(fields[1], ","), "memory")) {
			return fields[2]
		}
	}
	return ""
}

// path returns the directories of a group and of all above it that can be seen,
// from the group up.
func (h hierarchy) path(group string) []string {
	if group == "" {
		return nil
	}
	below, ok := strings.CutPrefix(group, strings.TrimSuffix(h.root, "/"))
	if !ok || below != "" && below[0] != '/' || strings.HasPrefix(below, "/..") {
		below = "" // the group is elsewhere: what is mounted is all there is to see
	}
	dirs := []string{filepath.Join(h.mount, below)}
	for dir := dirs[0]; dir != filepath.Clean(h.mount); dirs = append(dirs, dir) {
		dir = filepath.Dir(dir)
	}
	return dirs
}

// left is what can still be had of a limited memory.
type left struct {
	bytes int64
	of    string // whose memory it is, in words
}

// groupMargin is what is not to be had of a group: its programs need memory for
// other things too while nobody looks.
const groupMargin = 4 << 20

// limitedGroup is a memory cgroup of this process that has a limit.
type limitedGroup struct {
	hierarchy
	dir   string
	limit int64
}

// limited holds the groups that the last look found. Limits are changed by hand,
// and looking for them takes longer than making a small mapping.
var limited struct {
	sync.Mutex
	looked time.Time
	groups []limitedGroup
}

const limitsKept = time.Second

func limitedGroups() []limitedGroup {
	limited.Lock()
	defer limited.Unlock()
	if time.Since(limited.looked) < limitsKept {
		return limited.groups
	}
	limited.groups = nil
	text, _ := os.ReadFile("/proc/self/cgroup") // without /proc, nothing is known
	for _, h := range hierarchies() {
		for _, dir := range h.path(h.group(string(text))) {
			if g := h.at(dir); g.limit != math.MaxInt64 {
				limited.groups = append(limited.groups, g)
			}
		}
	}
	limited.looked = time.Now()
	return limited.groups
}

// at returns the group of a directory, with a limit of math.MaxInt64 if it has none.
func (h hierarchy) at(dir string) limitedGroup {
	if h.version == 1 {
		return limitedGroup{h, dir, readLimit(dir, "memory.limit_in_bytes")}
	}
	return limitedGroup{h, dir, readLimit(dir, "memory.max")}
}

// groupLeft returns what the one of the groups with the least memory left has.
func groupLeft(groups []limitedGroup, swapFree int64) left {
	least := left{bytes: math.MaxInt64}
	for _, g := range groups {
		if bytes := g.left(swapFree) - groupMargin; bytes < least.bytes {
			least = left{max(0, bytes), "the memory cgroup " + g.dir + ", of its " + mebibytes(g.limit)}
		}
	}
	return least
}

// left returns what a group has left. Pages of files do not count as used: the
// system drops them first. Above memory.high it slows a group down and refuses
// nothing.
func (g limitedGroup) left(swapFree int64) int64 {
	usage, prefix := "memory.current", ""
	if g.version == 1 {
		usage, prefix = "memory.usage_in_bytes", "total_"
	}
	stat, _ := readGroup(g.dir, "memory.stat")
	cached := statValue(stat, prefix+"inactive_file") + statValue(stat, prefix+"active_file")
	unused := g.limit - readUsage(g.dir, usage)
	return max(0, unused+g.swapLeft(g.dir, unused, swapFree)+cached)
}

// swapLeft returns how much of a group's memory the system may still move to
// the machine's swap space.
func (h hierarchy) swapLeft(dir string, unused, swapFree int64) int64 {
	if swapFree == 0 {
		return 0
	}
	own := int64(math.MaxInt64)
	if h.version == 2 {
		if limit := readLimit(dir, "memory.swap.max"); limit != math.MaxInt64 {
			own = limit - readUsage(dir, "memory.swap.current")
		}
	} else if limit := readLimit(dir, "memory.memsw.limit_in_bytes"); limit != math.MaxInt64 {
		own = limit - readUsage(dir, "memory.memsw.usage_in_bytes") - unused
	}
	return max(0, min(own, swapFree))
}

// readLimit returns a limit, or math.MaxInt64 where there is none: version 1
// then shows the largest multiple of the page size.
func readLimit(dir, file string) int64 {
	const none = math.MaxInt64 &^ (1<<20 - 1)
	if limit, err := readNumber(dir, file); err == nil && limit < none {
		return limit
	}
	return math.MaxInt64
}

func readUsage(dir, file string) int64 {
	usage, _ := readNumber(dir, file) // 0 if it is gone
	return usage
}

func readNumber(dir, file string) (int64, error) {
	text, err := readGroup(dir, file)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(text), 10, 64)
}

// readGroup reads a file of a group.
func readGroup(dir, file string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, file))
	return string(text), err
}

// statValue returns a number of a memory.stat, whose lines are NAME NUMBER.
func statValue(stat, name string) int64 {
	for line := range strings.Lines(stat) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			value, _ := strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
			return value
		}
	}
	return 0
}

func mebibytes(n int64) string { return strconv.FormatInt(n>>20, 10) + " MiB" }
