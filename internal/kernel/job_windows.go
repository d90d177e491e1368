package kernel

import (
	"errors"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// Job is a handle to one of the system's jobs.
type Job struct{ *Sync }

// CreateJob makes a new job.
func CreateJob(spec JobSpec) (*Job, error) {
	created, err := CreateSync(SyncSpec{Name: spec.Name, Kind: object.Job, Security: spec.Security})
	if err != nil {
		return nil, err
	}
	j := &Job{created}
	if !spec.Leave {
		err = j.with(sys.JOB_OBJECT_SET_ATTRIBUTES, killOnClose)
	}
	if err == nil && spec.Limits != (JobLimits{}) {
		err = j.SetLimits(spec.Limits)
	}
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return j, nil
}

// killOnClose has the system kill a new job's members with its last handle.
func killOnClose(job sys.Handle) error {
	var limits sys.JobLimits
	limits.BasicLimitInformation.LimitFlags = sys.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	return sys.SetJobLimits(job, limits)
}

// OpenJob opens a live job for whatever its owner grants. The system needs no guards.
func OpenJob(name object.Name, _ string) (*Job, error) {
	opened, err := OpenSync(name, object.Job)
	if err != nil {
		return nil, err
	}
	return &Job{opened}, nil
}

// Processes implements the contract. The system lists the members of all users.
func (j *Job) Processes() (pids []int, unseen int, err error) {
	err = j.with(sys.JOB_OBJECT_QUERY, func(job sys.Handle) error {
		listed, err := listJob(job, make([]uintptr, 64))
		for _, pid := range listed {
			pids = append(pids, int(pid))
		}
		return err
	})
	return pids, 0, err
}

// listJob returns the numbers of a job's members. They lie in the buffer, or in a
// larger one.
func listJob(job sys.Handle, buffer []uintptr) ([]uintptr, error) {
	for {
		pids, members, err := sys.JobProcesses(job, buffer)
		if err != sys.ERROR_MORE_DATA {
			return pids, err
		}
		buffer = make([]uintptr, 2*max(members, len(buffer))) // they may become more
	}
}

// Terminate implements the contract: the code is that of all members.
func (j *Job) Terminate(code int) error {
	return j.with(sys.JOB_OBJECT_TERMINATE, func(job sys.Handle) error {
		return sys.TerminateJobObject(job, uint32(code))
	})
}

// Exact implements the contract. Other programs make jobs that members may leave;
// so may one that this handle may not query.
func (j *Job) Exact() bool {
	const breakaway = sys.JOB_OBJECT_LIMIT_BREAKAWAY_OK | sys.JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK
	exact := false
	_ = j.with(sys.JOB_OBJECT_QUERY, func(job sys.Handle) error {
		limits, err := sys.QueryJobLimits(job)
		exact = err == nil && limits.BasicLimitInformation.LimitFlags&breakaway == 0
		return err
	})
	return exact
}
