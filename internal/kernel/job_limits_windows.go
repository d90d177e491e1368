package kernel

import (
	"errors"
	"math"
	"time"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// SetLimits implements the contract.
func (j *Job) SetLimits(limits JobLimits) error {
	return j.with(sys.JOB_OBJECT_SET_ATTRIBUTES, func(job sys.Handle) error {
		return j.with(sys.JOB_OBJECT_QUERY, func(sys.Handle) error { return limit(job, limits) })
	})
}

func limit(job sys.Handle, limits JobLimits) error {
	switch err := checkLimits(); {
	case limits == (JobLimits{}) && errors.Is(err, errors.ErrUnsupported):
		return nil // there are none
	case err != nil:
		return err
	}
	if err := limitCPU(job, limits.CPU); err != nil {
		return err
	}
	return limitProcesses(job, limits)
}

// checkLimits returns an error if the system accepts limits and forgets them, as
// Wine 8 does. It tries that with a job of its own: one with members does not tell
// there whether they die with the last handle, and would forget it.
func checkLimits() error {
	job, err := sys.CreateJobObject(nil, "")
	if err != nil {
		return err
	}
	defer sys.CloseHandle(job)
	var set sys.JobLimits
	setLimits(&set, JobLimits{Processes: 1, Memory: 64 << 20, ProcessMemory: 64 << 20})
	if err := sys.SetJobLimits(job, set); err != nil {
		return err
	}
	got, err := sys.QueryJobLimits(job)
	if err != nil {
		return err
	}
	if !sameLimits(got, set) {
		return object.Explain(errors.ErrUnsupported,
			"this system (Wine?) accepts limits of a job, but does not keep them")
	}
	return nil
}

// sameLimits compares what setLimits sets: the system fills in the rest.
func sameLimits(a, b sys.JobLimits) bool {
	basicA, basicB := a.BasicLimitInformation, b.BasicLimitInformation
	return basicA.LimitFlags == basicB.LimitFlags &&
		basicA.ActiveProcessLimit == basicB.ActiveProcessLimit &&
		a.JobMemoryLimit == b.JobMemoryLimit && a.ProcessMemoryLimit == b.ProcessMemoryLimit
}

// limitProcesses limits the number and the memory of a job's members, and leaves
// the rest of its limits as they are.
func limitProcesses(job sys.Handle, limits JobLimits) error {
	info, err := sys.QueryJobLimits(job)
	if err != nil {
		return err
	}
	setLimits(&info, limits)
	basic := &info.BasicLimitInformation
	if basic.LimitFlags&sys.JOB_OBJECT_LIMIT_JOB_TIME != 0 { // set again, it would begin anew
		basic.LimitFlags ^= sys.JOB_OBJECT_LIMIT_JOB_TIME | sys.JOB_OBJECT_LIMIT_PRESERVE_JOB_TIME
	}
	return sys.SetJobLimits(job, info)
}

func setLimits(info *sys.JobLimits, limits JobLimits) {
	basic := &info.BasicLimitInformation
	for _, limit := range [...]struct {
		flag uint32
		set  bool
	}{
		{sys.JOB_OBJECT_LIMIT_ACTIVE_PROCESS, limits.Processes > 0},
		{sys.JOB_OBJECT_LIMIT_JOB_MEMORY, limits.Memory > 0},
		{sys.JOB_OBJECT_LIMIT_PROCESS_MEMORY, limits.ProcessMemory > 0},
	} {
		basic.LimitFlags &^= limit.flag
		if limit.set {
			basic.LimitFlags |= limit.flag
		}
	}
	basic.ActiveProcessLimit = uint32(min(int64(limits.Processes), math.MaxUint32))
	info.JobMemoryLimit = memoryLimit(limits.Memory)
	info.ProcessMemoryLimit = memoryLimit(limits.ProcessMemory)
}

// memoryLimit returns a number of bytes, or the most that there can be.
func memoryLimit(size int64) uintptr { return uintptr(min(uint64(size), math.MaxUint)) }

// limitCPU limits the processors that a job's members use.
func limitCPU(job sys.Handle, processors float64) error {
	if processors > 0 {
		return sys.SetJobCPURate(job, sys.JobCPURate{
			Flags: sys.JOB_OBJECT_CPU_RATE_CONTROL_ENABLE | sys.JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP,
			Rate:  cpuRate(processors, sys.Processors()),
		})
	}
	now, err := sys.QueryJobCPURate(job)
	if err != nil || now.Flags == 0 {
		return nil // there is no limit
	}
	return sys.SetJobCPURate(job, sys.JobCPURate{})
}

// cpuRate returns a number of processors in hundredths of a percent of those of the
// machine.
func cpuRate(processors float64, all int) uint32 {
	const everything = 100 * 100
	return uint32(min(max(processors/float64(all)*everything, 1), everything))
}

// Stats implements the contract.
func (j *Job) Stats() (stats JobStats, err error) {
	err = j.with(sys.JOB_OBJECT_QUERY, func(job sys.Handle) error {
		used, err := sys.QueryJobAccounting(job)
		if err != nil {
			return err
		}
		limits, err := sys.QueryJobLimits(job)
		stats = statsOf(used, limits)
		return err
	})
	return stats, err
}

// statsOf returns what the system tells. No process does without memory: a system
// that says so, as Wine 8 does, counts neither that nor processor time.
func statsOf(used sys.JobAccounting, limits sys.JobLimits) (stats JobStats) {
	stats.Active, stats.Total = int(used.Active), int(used.Total)
	stats.CPU = time.Duration(used.UserTime+used.KernelTime) * 100
	stats.Peak = int64(limits.PeakJobMemoryUsed)
	counted := stats.Peak > 0 || stats.Total == 0
	stats.Known.Total, stats.Known.CPU, stats.Known.Peak = true, counted, counted
	return stats
}
