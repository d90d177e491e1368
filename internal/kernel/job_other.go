//go:build !linux && !windows

package kernel

import (
	"context"
	"os"
	"os/exec"

	"github.com/filemap-go/filemap/object"
)

// Job does not exist here.
type Job struct{}

func (*Job) Start(*exec.Cmd) error          { return errOther }
func (*Job) Add(*os.Process) error          { return errOther }
func (*Job) Processes() ([]int, int, error) { return nil, 0, errOther }
func (*Job) Terminate(int) error            { return errOther }
func (*Job) Empty() (bool, error)           { return false, errOther }
func (*Job) Wait(context.Context) error     { return errOther }
func (*Job) Stats() (JobStats, error)       { return JobStats{}, errOther }
func (*Job) SetLimits(JobLimits) error      { return errOther }
func (*Job) Exact() bool                    { return false }
func (*Job) Check() error                   { return errOther }
func (*Job) Close() error                   { return errOther }

func CreateJob(JobSpec) (*Job, error)             { return nil, errOther }
func OpenJob(object.Name, string) (*Job, error)   { return nil, errOther }
func StartHolding(*Sync, *exec.Cmd) (*Job, error) { return nil, errOther }
