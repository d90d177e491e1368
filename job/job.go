package job

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"time"

	"github.com/filemap-go/filemap/internal/kernel"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// Job is a handle to a set of processes, its members. Its methods may be called
// from any goroutine.
//
// A handle that the program no longer refers to is closed by the garbage collector
// some time later, as an [os.File] is.
type Job struct {
	name    object.Name
	kernel  *kernel.Job
	cleanup runtime.Cleanup
}

// Security says which users besides its creator may use a job: see [object.Security].
type Security = object.Security

// Options are the options of [Create]. The zero value stands for the defaults.
type Options struct {
	// Security says which other users may use the job. nil admits none; on Windows
	// it admits those that the system's default admits. A process that may use a job may end its
	// members.
	Security *Security

	// Leave leaves the members alone when the last handle is gone, instead of
	// killing them.
	Leave bool

	// Limits bound what the members may use.
	Limits Limits

	// Exact refuses to create a job, with errors.ErrUnsupported, unless the system
	// itself keeps the members together: see [Job.Exact]. A command that can't start
	// so is refused too, in whatever process. Limits imply Exact.
	Exact bool

	// Guard is the path of a program that is executed as the guards or keepers, on Linux,
	// instead of this one: filemap, or any other that has this package. A library
	// in another language's program needs one.
	Guard string
}

// OpenOptions are the options of [Open] and [Await]. The zero value stands for the
// defaults.
type OpenOptions struct {
	// Guard is that of [Options], for the commands that this handle starts.
	Guard string
}

// Limits bound what the members of a job may use. 0 is for no limit.
//
// # Linux notes
//
// Limits need a cgroup, and each its controller in that: pids, memory or cpu.
// Otherwise they are refused with errors.ErrUnsupported, which says what is missing.
// For limits, a process that is alone in its cgroup moves into a new one in that,
// called filemap.leaf.
//
// Processes counts threads. There is no ProcessMemory. A job that needs more than
// Memory is killed as a whole. It uses no swap space.
type Limits struct {
	Processes     int     // members at a time
	Memory        int64   // of all members together, in bytes
	ProcessMemory int64   // of each member
	CPU           float64 // processors: 0.5 is half of one
}

// Stats is what a job's members have used. Known says which of the numbers the
// system tells; the others are 0. Windows kills nobody for want of memory: there the
// members' allocations fail.
type Stats struct {
	Active int           // members now
	Total  int           // members since the job was created
	CPU    time.Duration // on Linux without a cgroup a lower bound
	Peak   int64         // most memory of all members at one time, in bytes
	Killed int           // members that the system has killed for want of memory

	Known struct{ Total, CPU, Peak, Killed bool }
}

// Create makes a job without members. An empty name makes one that no other process
// can open.
//
// Returns fs.ErrExist if a job has the name, object.ErrWrongKind if another object
// has it, fs.ErrPermission if it is another user's, and errors.ErrUnsupported for
// limits or exactness that the system does not have.
//
// See CreateJobObject of Win32.
func Create(name string, opts *Options) (*Job, error) {
	parsed, err := object.ParseName(name)
	if err != nil {
		return nil, failed("create", name, err)
	}
	if opts == nil {
		opts = &Options{}
	}
	k, err := create(parsed, opts)
	if err != nil {
		return nil, failed("create", parsed.String(), err)
	}
	return newJob(parsed, k), nil
}

func create(name object.Name, opts *Options) (*kernel.Job, error) {
	if name.Scope == object.POSIX {
		return nil, errPOSIX
	}
	if err := opts.Limits.check(); err != nil {
		return nil, err
	}
	return kernel.CreateJob(kernel.JobSpec{
		Name: name, Security: opts.Security, Leave: opts.Leave, Limits: kernel.JobLimits(opts.Limits),
		Exact: opts.Exact, Guard: opts.Guard,
	})
}

var errPOSIX = object.Explain(object.ErrInvalidName, "POSIX names are for mappings only")

func (l Limits) check() error {
	if l.Processes < 0 || l.Memory < 0 || l.ProcessMemory < 0 || !(l.CPU >= 0) {
		return object.Explain(fs.ErrInvalid, "a limit is less than 0, or not a number")
	}
	return nil
}

// Open opens a job that some process has open.
//
// Returns fs.ErrNotExist if no object has the name, and object.ErrWrongKind if it
// is not a job.
//
// See OpenJobObject of Win32.
func Open(name string, opts *OpenOptions) (*Job, error) {
	parsed, err := object.ParseName(name)
	if err != nil {
		return nil, failed("open", name, err)
	}
	k, err := open(parsed, opts)
	if err != nil {
		return nil, failed("open", parsed.String(), err)
	}
	return newJob(parsed, k), nil
}

func open(name object.Name, opts *OpenOptions) (*kernel.Job, error) {
	if opts == nil {
		opts = &OpenOptions{}
	}
	switch {
	case name.IsZero():
		return nil, object.ErrInvalidName
	case name.Scope == object.POSIX:
		return nil, errPOSIX
	}
	return kernel.OpenJob(name, opts.Guard)
}

// OpenOrCreate opens a job, or makes it if there is none, and reports which. One
// that exists keeps its options.
func OpenOrCreate(name string, opts *Options) (j *Job, created bool, err error) {
	open := &OpenOptions{}
	if opts != nil {
		open.Guard = opts.Guard
	}
	return kernel.OpenOrCreate(name != "",
		func() (*Job, error) { return Open(name, open) },
		func() (*Job, error) { return Create(name, opts) })
}

// Await opens a job as soon as it exists, and returns at once if it does. If ctx
// ends first, the error wraps context.Cause(ctx). The other errors are those of
// [Open].
func Await(ctx context.Context, name string, opts *OpenOptions) (*Job, error) {
	for {
		j, err := Open(name, opts)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return j, err
		}
		// A name that was there a moment ago can be gone: then wait again.
		if _, err := waitable.Any(ctx, waitable.Name(name)); err != nil {
			return nil, failed("await", name, context.Cause(ctx))
		}
	}
}

// newJob returns the handle, which closes itself if the caller drops it.
func newJob(name object.Name, k *kernel.Job) *Job {
	j := &Job{name: name, kernel: k}
	j.cleanup = kernel.CloseDropped(j, name, k.Close)
	return j
}

// Name returns the job's name with its prefix, or "".
func (j *Job) Name() string { return j.name.String() }

// Start starts a command as a member: nothing that it does happens outside of the
// job. It is cmd.Start, and the caller goes on as after that: cmd.Wait returns when
// the command has ended, also if it has left other members behind. [Job.Wait] waits
// for all of them.
//
// # Linux notes
//
// If [Job.Exact] reports true, the command starts in the job's cgroup, and cmd.Process
// is the command. Otherwise cmd.Process is the outer guard. It passes signals on to the
// command, and ends as the command ends. Killing it kills the command. Guards can't
// start a command with SysProcAttr.Chroot or Ptrace.
//
// Returns errors.ErrUnsupported where this program can't be executed again as a
// guard or keeper: /proc is missing, or its file is set-user-ID.
func (j *Job) Start(cmd *exec.Cmd) error {
	return j.check("start", j.kernel.Start(cmd))
}

// Add makes a running process, and what it will start, a member. See
// AssignProcessToJobObject of Win32.
//
// # Linux notes
//
// Returns errors.ErrUnsupported if the job has no cgroup, and where Start does. The
// processes that it has started already stay outside.
func (j *Job) Add(process *os.Process) error {
	return j.check("add", j.kernel.Add(process))
}

// Processes returns the process numbers of the members, as this process sees them,
// and how many others there may be, in other PID namespaces. A number tells only
// what there was a moment ago: don't kill by it, but by [Job.Terminate].
func (j *Job) Processes() (pids []int, others int, err error) {
	pids, others, err = j.kernel.Processes()
	return pids, others, j.check("list", err)
}

// Contains reports whether a process is a member.
func (j *Job) Contains(pid int) (bool, error) {
	pids, _, err := j.Processes()
	return slices.Contains(pids, pid), err
}

// Terminate kills all members. It does not wait for their end: see [Job.Wait]. The
// job can be used again. On Windows the members' exit code is the given one; on
// Linux they die of SIGKILL.
//
// See TerminateJobObject of Win32.
func (j *Job) Terminate(exitCode int) error {
	return j.check("terminate", j.kernel.Terminate(exitCode))
}

// Wait waits until the job has no members: at once if it has none yet. If ctx ends
// first, the error wraps context.Cause(ctx).
func (j *Job) Wait(ctx context.Context) error {
	return j.check("wait", j.kernel.Wait(ctx))
}

// Empty returns an object that is signaled while the job has no members, for
// [waitable.Any] and [waitable.All]. It uses the job's handle.
func (j *Job) Empty() waitable.Object {
	return waitable.NewCondition(j.Name(), object.Job,
		func(context.Context) (bool, error) { return j.kernel.Empty() }, j.kernel.Wait)
}

// Stats returns what the members have used.
func (j *Job) Stats() (Stats, error) {
	s, err := j.kernel.Stats()
	return Stats(s), j.check("query", err)
}

// SetLimits changes the limits.
//
// Returns errors.ErrUnsupported for limits that the system does not have.
func (j *Job) SetLimits(limits Limits) error {
	err := limits.check()
	if err == nil {
		err = j.kernel.SetLimits(kernel.JobLimits(limits))
	}
	return j.check("limit", err)
}

// Exact reports whether the system itself keeps together what this handle starts, as
// Windows does, and Linux by a cgroup. Under guards alone, members can be left behind
// if both guards of a command are killed at once.
func (j *Job) Exact() bool { return j.kernel.Exact() }

// Check returns an error if the job's name no longer leads to it: see
// [github.com/filemap-go/filemap.Mapping.Check].
//
// Returns object.ErrNameLost if no process can open the job by its name.
func (j *Job) Check() error { return j.check("check", j.kernel.Check()) }

// Close gives the handle up. With the last one in any process the members are
// killed, unless the job was created to leave them alone. Waits through this handle
// end with os.ErrClosed. A second Close returns os.ErrClosed.
func (j *Job) Close() error {
	j.cleanup.Stop()
	return j.check("close", j.kernel.Close())
}

func (j *Job) check(op string, err error) error {
	if err != nil {
		return failed(op, j.Name(), err)
	}
	return nil
}

func failed(op, name string, err error) error {
	return &object.Error{Op: op, Kind: object.Job, Name: name, Err: err}
}
