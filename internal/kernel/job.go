package kernel

import (
	"context"
	"os"
	"os/exec"
	"time"

	"github.com/filemap-go/filemap/object"
)

// JobSpec says how a new job is to be.
type JobSpec struct {
	Name     object.Name      // zero for an unnamed job
	Security *object.Security // nil for the system's default
	Leave    bool             // leave the members alone when the last handle is gone
	Limits   JobLimits
	Exact    bool   // fail unless nothing that a member starts can leave the job
	Guard    string // the program of the guards, on Linux; "" for this one
}

// JobLimits bound what the members of a job may use; 0 is for no limit.
type JobLimits struct {
	Processes     int
	Memory        int64   // of all members, in bytes
	ProcessMemory int64   // of each
	CPU           float64 // processors
}

// JobStats is what a job's members have used. Known says what the system tells.
type JobStats struct {
	Active int
	Total  int // members there ever were
	CPU    time.Duration
	Peak   int64 // memory of all members at one time, in bytes
	Killed int   // members that needed more memory than there was

	Known struct{ Total, CPU, Peak, Killed bool }
}

// job is what each system's Job does.
type job interface {
	// Start starts a command, as cmd.Start does, that is a member before its first
	// instruction.
	Start(cmd *exec.Cmd) error
	// Add makes a running process a member.
	Add(*os.Process) error
	// Processes returns the members that this process can see, and how many others
	// there are.
	Processes() (pids []int, unseen int, err error)
	// Terminate kills all members. Where the system has a say in it, they end with
	// an exit code.
	Terminate(code int) error
	// Empty reports whether there are no members, and Wait waits for that.
	Empty() (bool, error)
	Wait(context.Context) error
	Stats() (JobStats, error)
	SetLimits(JobLimits) error
	// Exact reports whether nothing that a member starts can leave the job.
	Exact() bool
	// Check returns object.ErrNameLost if the name no longer leads here.
	Check() error
	// Close gives the handle up. With the last one the members are killed.
	Close() error
}

var _ job = (*Job)(nil)

// The functions that each system's files define:
//
//	CreateJob(JobSpec) (*Job, error)        object.ErrExist if the name exists
//	OpenJob(name object.Name, guard string) (*Job, error)     guard: see JobSpec
//	StartHolding(lock *Sync, cmd *exec.Cmd) (*Job, error)     in a job of its own
var _ = [...]any{
	(func(JobSpec) (*Job, error))(CreateJob),
	(func(object.Name, string) (*Job, error))(OpenJob),
	(func(*Sync, *exec.Cmd) (*Job, error))(StartHolding),
}
