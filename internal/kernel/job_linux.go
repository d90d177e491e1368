package kernel

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/filemap-go/filemap/internal/guard"
	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/internal/objmgr"
	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// Job is a handle to a job.
type Job struct {
	*Sync
	guard  string     // the program that is executed as the guards; "" for this one
	cgroup *jobCgroup // nil if there is none that this process may use

	keeping sync.Mutex      // held while keepers are started
	holding <-chan struct{} // of StartHolding: closed when the keepers have ended
}

// CreateJob makes a new job, with a cgroup if it can. A job with limits, or that must
// be exact, is not made without.
func CreateJob(spec JobSpec) (*Job, error) {
	p, err := placeOf(spec.Name)
	if err != nil {
		return nil, err
	}
	mode, err := syncMode(spec.Security)
	if err != nil {
		return nil, err
	}
	wanted := objmgr.SyncSpec{
		Name: spec.Name, Kind: object.Job, Mode: mode, Leave: spec.Leave, ID: p.host.Random(),
		Exact: spec.Exact || spec.Limits != (JobLimits{}),
	}
	group, err := makeLimited(wanted, spec.Limits)
	if err != nil && wanted.Exact {
		return nil, err
	}
	if group != nil {
		wanted.Cgroup = group.path
	}
	created, err := p.CreateSync(wanted)
	if group != nil && (err != nil || created.Cgroup().Owner != p.host.uid) {
		group.remove()
		group = nil
	}
	if err != nil {
		return nil, err
	}
	if group == nil && wanted.Exact {
		return nil, errors.Join(errForeignFile, created.Close())
	}
	return newJob(&Sync{created, p}, spec.Guard, group), nil
}

// errForeignFile: openers of such a job would not take the cgroup for its own.
var errForeignFile = object.Explain(errors.ErrUnsupported,
	"the job is in the file of another user's dead object, and so can have no cgroup: take another name")

// makeLimited makes the cgroup of a new job, with its limits.
func makeLimited(spec objmgr.SyncSpec, limits JobLimits) (*jobCgroup, error) {
	g, err := makeCgroup(spec.ID, spec.Leave)
	if err != nil {
		return nil, err
	}
	if err := g.limit(limits); err != nil {
		g.remove()
		return nil, err
	}
	return g, nil
}

func newJob(s *Sync, guard string, group *jobCgroup) *Job {
	if group != nil {
		s.Populated = group.populated
	}
	return &Job{Sync: s, guard: guard, cgroup: group}
}

// OpenJob opens a live job.
func OpenJob(name object.Name, guard string) (*Job, error) {
	s, err := OpenSync(name, object.Job)
	if err != nil {
		return nil, err
	}
	group, err := openCgroup(s.Cgroup())
	if err == nil { // otherwise the job is one under guards
		_ = group.try(s.Stopped)
	}
	return newJob(s, guard, group), nil
}

// Wait implements the contract.
func (j *Job) Wait(ctx context.Context) error {
	_, err := j.Sync.Wait(ctx)
	return err
}

// Empty implements the contract.
func (j *Job) Empty() (bool, error) {
	_, ok, err := j.Sync.TryWait()
	return ok, err
}

// Start implements the contract: the command starts in the cgroup, or by guards.
func (j *Job) Start(cmd *exec.Cmd) error { return j.start(cmd, nil) }

// start has guards or keepers keep files open as long as there are members.
func (j *Job) start(cmd *exec.Cmd, keep []*os.File) error {
	if cmd.Err != nil {
		return cmd.Err
	}
	if j.mayEnter(cmd) {
		group, err := j.cgroup.openStart(j.Stopped)
		if err == nil {
			defer sys.Close(group)
			return j.startInside(cmd, group, keep)
		}
		if j.Sync.Exact() {
			return err
		}
	}
	return j.startGuarded(cmd, keep)
}

// mayEnter reports whether a command starts in the job's cgroup: not if the caller
// has chosen another.
func (j *Job) mayEnter(cmd *exec.Cmd) bool {
	return j.Exact() && (cmd.SysProcAttr == nil || !cmd.SysProcAttr.UseCgroupFD)
}

// startInside starts a command in the job's cgroup. A job that is terminated in this
// moment kills it.
func (j *Job) startInside(cmd *exec.Cmd, group int, keep []*os.File) error {
	if err := j.keep(keep); err != nil {
		return err
	}
	attributes := cmd.SysProcAttr
	inside := &syscall.SysProcAttr{}
	if attributes != nil {
		*inside = *attributes
	}
	inside.UseCgroupFD, inside.CgroupFD = true, group
	cmd.SysProcAttr = inside
	err := cmd.Start()
	cmd.SysProcAttr = attributes
	if err != nil {
		_ = j.cgroup.try(j.Stopped) // this process can have gone to another cgroup
	}
	if err != nil && j.cgroup.refused.Load() {
		return object.Explain(err, "this process can no longer start commands in the job's cgroup "+j.cgroup.path)
	}
	return err
}

// keep starts keepers, unless the job has some.
func (j *Job) keep(files []*os.File) error {
	j.keeping.Lock()
	defer j.keeping.Unlock()
	if kept, err := j.HasKeepers(); err != nil || kept {
		return err
	}
	keepers := &exec.Cmd{SysProcAttr: &syscall.SysProcAttr{Setsid: true}} // out of the reach of the terminal
	setup, open := guard.Setup{Cgroup: j.cgroup.name()}, guard.Files{Keep: files, Cgroup: j.cgroup.dir}
	if err := j.startPair(keepers, setup, open); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_ = keepers.Wait()
		close(ended)
	}()
	if len(files) > 0 {
		j.holding = ended
	}
	return nil
}

// startGuarded has guards start a command.
func (j *Job) startGuarded(cmd *exec.Cmd, keep []*os.File) error {
	switch {
	case j.Sync.Exact():
		return errNotEntered
	case cmd.SysProcAttr != nil && (cmd.SysProcAttr.Chroot != "" || cmd.SysProcAttr.Ptrace):
		return object.Explain(errors.ErrUnsupported, "guards can't start a command with Chroot or Ptrace")
	}
	err := j.startPair(cmd, guard.Setup{}, guard.Files{Keep: keep})
	if errno, ok := err.(syscall.Errno); ok { // the command's
		return &os.PathError{Op: "fork/exec", Path: cmd.Path, Err: errno}
	}
	return err
}

var errNotEntered = object.Explain(errors.ErrUnsupported, "the job is exact, or was created with limits, "+
	"and this process can't start the command in its cgroup")

// startPair starts guards with a command, or keepers. What they are for is in s and
// files.
func (j *Job) startPair(cmd *exec.Cmd, s guard.Setup, files guard.Files) error {
	program, err := j.guardProgram()
	if err != nil {
		return err
	}
	if files.Job, err = j.guardFile(); err != nil {
		return err
	}
	defer files.Job.Close()
	if s.Stop, err = j.Stopped(); err != nil {
		return err
	}
	result, report, err := os.Pipe()
	if err != nil {
		return err
	}
	defer result.Close()
	files.Report = report
	s.HandleByte, s.GuardBytes = j.HandleByte(), layout.GuardBytes
	s.StateAt, s.StopAt = layout.StateAt, layout.JobStopAt
	s.Leave, s.Name = j.Leaves(), j.filePath()
	path, arguments, extra := cmd.Path, cmd.Args, cmd.ExtraFiles
	guard.Wrap(cmd, program, s, files)
	err = cmd.Start()
	cmd.Path, cmd.Args, cmd.ExtraFiles = path, arguments, extra
	report.Close()
	if err != nil {
		return err
	}
	err = readReport(result)
	if err != nil {
		_ = cmd.Wait()
	}
	return err
}

// StartHolding starts a command in a job of its own, whose guards or keepers hold what
// a lock holds: until no member is left, that is not free.
func StartHolding(lock *Sync, cmd *exec.Cmd) (*Job, error) {
	if err := lock.Share(); err != nil {
		return nil, err
	}
	var keep *os.File
	err := lock.WhileOpen(func(fd objmgr.FD) error {
		own, err := sys.Dup(int(fd))
		keep = os.NewFile(uintptr(own), "lock")
		return err
	})
	if err != nil {
		return nil, err
	}
	defer keep.Close()
	j, err := CreateJob(JobSpec{})
	if err != nil {
		return nil, err
	}
	if err := j.start(cmd, []*os.File{keep}); err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return j, nil
}

// readReport returns how the guards' start of the command went.
func readReport(result io.Reader) error {
	var report [4]byte
	if _, err := io.ReadFull(result, report[:]); err != nil {
		return object.Explain(errors.ErrUnsupported,
			"the job's guards ended before they began: they were killed, or this program, "+
				"executed again as a guard, did not come to the hook of filemap")
	}
	switch errno := syscall.Errno(binary.LittleEndian.Uint32(report[:])); errno {
	case 0:
		return nil
	case syscall.ESRCH:
		return os.ErrClosed
	default:
		return errno
	}
}

// guardProgram returns the program that is executed as the guards: this one, unless
// the job was created with another.
func (j *Job) guardProgram() (string, error) {
	const self = "/proc/self/exe"
	switch {
	case sys.Privileged():
		return "", object.Explain(errors.ErrUnsupported,
			"a program with rights of its file, such as set-user-ID, can't be a guard")
	case j.guard != "":
		return j.guard, nil
	case isLibrary():
		return "", object.Explain(errors.ErrUnsupported, "this is a library in another program, which can't be "+
			"a guard: give a program that is, such as filemap, by the option Guard")
	}
	if _, err := os.Lstat(self); err != nil {
		return "", explainProc(sys.ENOENT)
	}
	return self, nil
}

// isLibrary reports whether the main program is another one than this package was
// built into.
func isLibrary() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return false
	}
	return slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool {
		return s.Key == "-buildmode" && (s.Value == "c-shared" || s.Value == "c-archive" || s.Value == "plugin")
	})
}

// guardFile opens the job's file for guards, without a handle's locks.
func (j *Job) guardFile() (*os.File, error) {
	var file *os.File
	err := j.WhileOpen(func(fd objmgr.FD) error {
		own, err := sys.Reopen(int(fd), true)
		if err == nil {
			file = os.NewFile(uintptr(own), "job")
		}
		return explain(explainProc(err))
	})
	return file, err
}

// filePath returns the path of the job's file, or "".
func (j *Job) filePath() string {
	if file := j.File(); file != "" {
		return j.place.path(file)
	}
	return ""
}

// Add implements the contract.
func (j *Job) Add(process *os.Process) error {
	if j.cgroup == nil {
		return object.Explain(errors.ErrUnsupported,
			"without a cgroup Linux takes no running process into a job: start it in the job")
	}
	if err := process.Signal(syscall.Signal(0)); err != nil {
		return err
	}
	group, err := j.cgroup.openStart(j.Stopped)
	if err != nil {
		return err
	}
	defer sys.Close(group)
	if err := j.keep(nil); err != nil {
		return err
	}
	return sys.WriteCgroup(group, "cgroup.procs", strconv.Itoa(process.Pid))
}

// SetLimits implements the contract.
func (j *Job) SetLimits(limits JobLimits) error {
	switch {
	case j.cgroup != nil:
		return j.cgroup.limit(limits)
	case limits != (JobLimits{}):
		return needsCgroup("this job has none that this process may use")
	}
	return nil
}

// Exact implements the contract.
func (j *Job) Exact() bool { return j.cgroup != nil && !j.cgroup.refused.Load() }

// Terminate implements the contract. The guards kill what is not in the cgroup.
func (j *Job) Terminate(int) error {
	if err := j.Stop(); err != nil {
		return err
	}
	stop, err := j.Stopped()
	if err == nil && j.cgroup != nil {
		j.cgroup.killStopped(stop)
	}
	return err
}

// Close implements the contract.
func (j *Job) Close() error {
	err := j.Sync.Close()
	if j.cgroup != nil {
		_ = j.cgroup.dir.Close()
	}
	if j.holding != nil { // what they hold is free if it goes as it should
		const most = time.Second
		select {
		case <-j.holding:
		case <-time.After(most):
		}
	}
	return err
}

// Processes implements the contract.
func (j *Job) Processes() (pids []int, unseen int, err error) {
	pids, unseen, err = j.guarded()
	if err != nil || j.cgroup == nil {
		return pids, unseen, err
	}
	more, others, err := j.cgroup.processes()
	for _, pid := range more {
		if !slices.Contains(pids, pid) {
			pids = append(pids, pid)
		}
	}
	return pids, unseen + others, err
}

// guarded returns the members that guards have. The system says which processes are
// guards, and which are below them.
func (j *Job) guarded() (pids []int, unseen int, err error) {
	guards, unseen, err := j.guards()
	if err != nil {
		return nil, 0, err
	}
	found := make(map[int]bool)
	for _, pid := range guards {
		found[pid] = true
	}
	queue := append([]int(nil), guards...)
	for len(queue) > 0 {
		for _, child := range sys.Children(queue[0]) {
			if !found[child] {
				found[child] = true
				pids = append(pids, child)
				queue = append(queue, child)
			}
		}
		queue = queue[1:]
	}
	return pids, unseen, nil
}

// guards returns the guards that this process can see, and how many it can't.
func (j *Job) guards() (pids []int, unseen int, err error) {
	at, length := j.GuardBytes()
	end := at + length
	err = j.WhileOpen(func(fd objmgr.FD) error {
		for at < end {
			next, pid, locked, err := sys.FirstLockingProcess(int(fd), at, end-at)
			switch {
			case err != nil || !locked:
				return err
			case pid > 0:
				pids = append(pids, pid)
			default:
				unseen++
			}
			at = next
		}
		return nil
	})
	return pids, unseen, err
}

// Stats implements the contract.
func (j *Job) Stats() (stats JobStats, err error) {
	pids, unseen, err := j.Processes()
	if err != nil {
		return stats, err
	}
	stats.Active = len(pids) + unseen
	var counted []int
	if j.cgroup != nil {
		counted, _, err = j.cgroup.processes()
		stats.addCgroup(j.cgroup)
	}
	stats.Known.CPU = stats.Known.CPU || unseen == 0
	for _, pid := range pids {
		if !slices.Contains(counted, pid) {
			stats.CPU += processTime(pid)
		}
	}
	return stats, err
}

// addCgroup adds what a cgroup has counted.
func (s *JobStats) addCgroup(g *jobCgroup) {
	if used, ok := g.number("cpu.stat", "usage_usec "); ok {
		s.CPU, s.Known.CPU = s.CPU+time.Duration(used)*time.Microsecond, true
	}
	s.Peak, s.Known.Peak = g.number("memory.peak", "")
	killed, ok := g.number("memory.events", "oom_kill ")
	s.Killed, s.Known.Killed = int(killed), ok
}

// processTime returns the processor time of a process and its children that were
// waited for.
func processTime(pid int) (used time.Duration) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text)[strings.LastIndex(string(text), ")")+1:])
	const user, childrensSystem, perSecond = 11, 14, 100
	for i := user; i <= childrensSystem && i < len(fields); i++ {
		ticks, err := strconv.ParseInt(fields[i], 10, 53)
		if err == nil {
			used += time.Duration(ticks) * time.Second / perSecond
		}
	}
	return used
}
