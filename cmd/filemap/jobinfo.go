package main

import (
	"errors"
	"io/fs"
	"time"

	"github.com/filemap-go/filemap/job"
)

// jobStats returns what a job's members have used, and whether it is exact. The job
// is held for that moment only.
func jobStats(name string) (stats job.Stats, exact bool, err error) {
	err = withJob(name, func(j *job.Job) (err error) {
		exact = j.Exact()
		stats, err = j.Stats()
		return err
	})
	return stats, exact, err
}

// jobState returns the state of a job, for programs.
func jobState(name string) map[string]any {
	stats, exact, err := jobStats(name)
	if err != nil {
		return map[string]any{}
	}
	return map[string]any{
		"members":     stats.Active,
		"total":       known(stats.Total, !stats.Known.Total),
		"cpu":         known(stats.CPU.String(), !stats.Known.CPU),
		"peak":        known(stats.Peak, !stats.Known.Peak),
		"killed":      known(stats.Killed, !stats.Known.Killed),
		"containment": containment(exact),
	}
}

// containment says what keeps the members of a job together.
func containment(exact bool) string {
	if exact {
		return "exact"
	}
	return "guards"
}

// printJobState writes the same for people.
func printJobState(row func(label string, value any), name string) {
	stats, exact, err := jobStats(name)
	if err != nil {
		row("state", unknownAs(err))
		return
	}
	row("members", stats.Active)
	row("members so far", orUnknown(stats.Total, stats.Known.Total))
	row("processor time", orUnknown(describeCPU(stats.CPU, exact), stats.Known.CPU))
	row("most memory", orUnknown(describeSize(stats.Peak), stats.Known.Peak))
	row("killed for memory", orUnknown(stats.Killed, stats.Known.Killed))
	row("containment", containment(exact))
}

// unknownAs says why a state is unknown. The job may have ended meanwhile.
func unknownAs(err error) string {
	if errors.Is(err, fs.ErrPermission) {
		return unknownDenied
	}
	return "unknown"
}

func orUnknown(value any, known bool) any {
	if !known {
		return "unknown"
	}
	return value
}

// describeCPU returns processor time, which guards know only in part.
func describeCPU(used time.Duration, exact bool) string {
	if exact {
		return used.String()
	}
	return "at least " + used.String()
}
