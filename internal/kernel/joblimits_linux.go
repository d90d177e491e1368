package kernel

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/filemap-go/filemap/object"
)

// cgroupLimit is a limit, as a file of a cgroup has it.
type cgroupLimit struct {
	file, text string
	wanted     bool // and not only taken back
}

// cgroupLimits returns the limits in the files of a cgroup.
func cgroupLimits(l JobLimits) []cgroupLimit {
	const period, quotaLeast = 100_000, 1000 // microseconds
	cpu, together, swap := "max", "0", "max"
	if l.CPU != 0 {
		cpu = strconv.FormatInt(max(quotaLeast, int64(l.CPU*period)), 10)
	}
	if l.Memory != 0 {
		together = "1" // where there is no memory, no member goes on
		swap = "0"     // otherwise the members would use swap space beyond the limit
	}
	return []cgroupLimit{
		{"pids.max", numberOrMax(int64(l.Processes)), l.Processes != 0},
		{"memory.max", numberOrMax(l.Memory), l.Memory != 0},
		{"memory.oom.group", together, l.Memory != 0},
		{"memory.swap.max", swap, false}, // not on every system
		{"cpu.max", cpu + " " + strconv.Itoa(period), l.CPU != 0},
	}
}

func numberOrMax(n int64) string {
	if n == 0 {
		return "max"
	}
	return strconv.FormatInt(n, 10)
}

// limit sets the limits, all or none.
func (g *jobCgroup) limit(l JobLimits) error {
	if l.ProcessMemory != 0 {
		return errProcessMemory
	}
	limits := cgroupLimits(l)
	for i, limit := range limits {
		switch {
		case g.has(limit.file):
		case limit.wanted:
			if err := g.enable(limit.file); err != nil {
				return err
			}
		default:
			limits[i].file = ""
		}
	}
	for _, limit := range limits {
		if limit.file == "" {
			continue
		}
		if err := g.write(limit.file, limit.text); err != nil {
			return fmt.Errorf("%s of %s: %w", limit.file, g.path, err)
		}
	}
	return nil
}

var errProcessMemory = object.Explain(errors.ErrUnsupported,
	"Linux has no limit for the memory of each process of a cgroup: limit that of all, by Memory")

func (g *jobCgroup) has(file string) bool {
	_, err := g.read(file)
	return err == nil
}
