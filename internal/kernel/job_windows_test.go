package kernel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

func createJob(t *testing.T, spec JobSpec) *Job {
	t.Helper()
	j, err := CreateJob(spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func openJob(t *testing.T, name object.Name) *Job {
	t.Helper()
	j, err := OpenJob(name, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

// wantMembers checks the numbers of a job's members, and how many there ever were.
func wantMembers(t *testing.T, j *Job, total int, want ...int) {
	t.Helper()
	pids, unseen, err := j.Processes()
	slices.Sort(pids)
	slices.Sort(want)
	if err != nil || unseen != 0 || !slices.Equal(pids, want) {
		t.Errorf("Processes() = %v, %d, %v, want %v", pids, unseen, err, want)
	}
	stats, err := j.Stats()
	if err != nil || stats.Active != len(want) || stats.Total != total || !stats.Known.Total {
		t.Errorf("Stats() = %+v, %v, want %d of %d", stats, err, len(want), total)
	}
	empty, err := j.Empty()
	if err != nil || empty != (len(want) == 0) {
		t.Errorf("Empty() = %v, %v with the members %v", empty, err, want)
	}
}

// wantEnd waits for the end of a job's members.
func wantEnd(t *testing.T, j *Job) {
	t.Helper()
	if err := j.Wait(soon(t)); err != nil {
		t.Fatalf("Wait() = %v", err)
	}
}

// TestJobStart: a command is a member before it can start anything, and is started
// as its caller says.
func TestJobStart(t *testing.T) {
	j := createJob(t, JobSpec{})
	p := start(t, j, "orphan")
	if p.cmd.SysProcAttr != nil {
		t.Errorf("SysProcAttr = %+v, was nil", p.cmd.SysProcAttr)
	}
	child := p.number()
	p.ends(0)
	wantMembers(t, j, 2, child)
	p.input.Close()
	wantEnd(t, j)

	p = newPlayer(t, "exit", "7")
	attributes := &syscall.SysProcAttr{HideWindow: true}
	p.cmd.SysProcAttr = attributes
	p.start(j)
	if p.cmd.SysProcAttr != attributes || attributes.CreationFlags != 0 {
		t.Errorf("SysProcAttr = %+v, was %+v", p.cmd.SysProcAttr, attributes)
	}
	p.ends(7)
	wantMembers(t, j, 3)
}

// TestJobStartSuspended: a command does nothing before it is a member, and the caller
// that asks for a suspended process gets it.
func TestJobStartSuspended(t *testing.T) {
	p := newPlayer(t, "parent")
	if err := startSuspended(p.cmd); err != nil {
		t.Fatal(err)
	}
	p.atEnd()
	checkSuspended(t, p)

	j := createJob(t, JobSpec{})
	p = newPlayer(t, "parent")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: sys.CREATE_SUSPENDED}
	p.start(j)
	wantMembers(t, j, 1, p.pid())
	checkSuspended(t, p)
}

// checkSuspended checks that a parent does nothing until it is resumed.
func checkSuspended(t *testing.T, p *player) {
	t.Helper()
	line := make(chan string)
	go func() {
		text, _ := p.lines.ReadString('\n')
		line <- text
	}()
	select {
	case got := <-line:
		t.Fatalf("a suspended process says %q", got)
	case <-time.After(300 * time.Millisecond):
	}
	if err := withProcess(p.cmd.Process, sys.ResumeProcess); err != nil {
		t.Fatal(err)
	}
	if got := <-line; got == "" {
		t.Error("a resumed process says nothing")
	}
	p.end()
}

// TestJobStartFails: nothing is left of a command that does not get into the job.
func TestJobStartFails(t *testing.T) {
	outer, inner := createJob(t, JobSpec{}), createJob(t, JobSpec{Name: newName(t)})
	start(t, inner, "idle") // a job with others can't be nested
	p := start(t, outer, "rejected", inner.name.Base)
	if got := p.says(); got != "rejected" {
		t.Error(got)
	}
	p.ends(0)
	missing := newPlayer(t, "idle")
	missing.cmd.Path = `C:\no such program.exe`
	wantError(t, "starting no program", inner.Start(missing.cmd), os.ErrNotExist)
}

// TestJobAddOfOneThatHasEnded: Start leaves such a process to cmd.Wait.
func TestJobAddOfOneThatHasEnded(t *testing.T) {
	j := createJob(t, JobSpec{})
	p := newPlayer(t, "idle")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: sys.CREATE_SUSPENDED}
	p.start(nil)
	if err := errors.Join(p.cmd.Process.Kill(), waitHandle(p.cmd.Process)); err != nil {
		t.Fatal(err)
	}
	wantError(t, "adding a process that has ended", j.Add(p.cmd.Process), os.ErrProcessDone)
	p.ends(1)
	wantMembers(t, j, 0)
}

// waitHandle waits for a process's end, and leaves it to be waited for.
func waitHandle(p *os.Process) error {
	return withProcess(p, func(h sys.Handle) error {
		event, err := sys.WaitForMultipleObjects([]sys.Handle{h}, false, 60_000, false)
		if event == sys.WAIT_TIMEOUT {
			err = context.DeadlineExceeded
		}
		return err
	})
}

// TestJobAdd adds a process by a handle that has no right to it.
func TestJobAdd(t *testing.T) {
	j := createJob(t, JobSpec{})
	p := start(t, nil, "idle")
	found, err := os.FindProcess(p.pid())
	if err != nil {
		t.Fatal(err)
	}
	defer found.Release()
	if err := j.Add(found); err != nil {
		t.Fatal(err)
	}
	wantMembers(t, j, 1, p.pid())
	if err := j.Terminate(9); err != nil {
		t.Fatal(err)
	}
	p.ends(9)
}

// TestJobWait waits for members that end one after the other, and some of which
// come while it waits.
func TestJobWait(t *testing.T) {
	j := createJob(t, JobSpec{Name: newName(t)})
	ended, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("the cause")
	cancel(cause)
	wantError(t, "a wait for none", j.Wait(ended), nil)

	first := start(t, j, "idle")
	wantError(t, "a wait that ended before", j.Wait(ended), cause)
	short, stop := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, cause)
	defer stop()
	wantError(t, "a wait that ends", j.Wait(short), cause)

	other := openJob(t, j.name)
	result := make(chan error)
	go func() { result <- other.Wait(soon(t)) }()
	second := start(t, j, "parent")
	second.number()
	first.end()
	select {
	case err := <-result:
		t.Fatalf("Wait() = %v with members", err)
	case <-time.After(100 * time.Millisecond):
	}
	second.end()
	wantError(t, "a wait for all", <-result, nil)
	wantMembers(t, j, 3)
}

// TestJobWaitForOthersOnly: a number may be another process's by the time that it
// is opened, and one that may not be opened is looked at again.
func TestJobWaitForOthersOnly(t *testing.T) {
	j := createJob(t, JobSpec{})
	_, err := j.openMember(os.Getpid())
	wantError(t, "opening a process that is not a member", err, object.ErrNotExist)
	const none = 3 // numbers are multiples of 4
	if _, err := j.openMember(none); err == nil {
		t.Errorf("process %d exists", none)
	}
	wantError(t, "waiting for none of them", j.waitForOne(soon(t), []int{os.Getpid(), none}), nil)
}

// TestJobClose: a handle that is closed does nothing more, and ends the waits
// through it.
func TestJobClose(t *testing.T) {
	name := newName(t)
	keeping := createJob(t, JobSpec{Name: name})
	j := openJob(t, name)
	p := start(t, j, "idle")
	result := make(chan error)
	go func() { result <- j.Wait(soon(t)) }()
	time.Sleep(50 * time.Millisecond)
	wantError(t, "Close", j.Close(), nil)
	wantError(t, "a wait while it is closed", <-result, os.ErrClosed)

	wantMembers(t, keeping, 1, p.pid())
	_, _, list := j.Processes()
	_, empty := j.Empty()
	_, stats := j.Stats()
	for what, err := range map[string]error{
		"Start": j.Start(inRole("idle")), "Add": j.Add(p.cmd.Process), "Processes": list,
		"Terminate": j.Terminate(1), "Empty": empty, "Wait": j.Wait(t.Context()),
		"Stats": stats, "SetLimits": j.SetLimits(JobLimits{}), "Close": j.Close(),
	} {
		wantError(t, what+" of a closed job", err, os.ErrClosed)
	}
	if j.Exact() {
		t.Error("a closed job is exact")
	}
}

// TestJobLimits: the system keeps them, or this is an error and changes nothing.
func TestJobLimits(t *testing.T) {
	limits := JobLimits{Processes: 2, Memory: 256 << 20, ProcessMemory: 128 << 20, CPU: 0.5}
	j := createJob(t, JobSpec{})
	p := start(t, j, "idle")
	if err := j.SetLimits(limits); onWine() {
		wantError(t, "SetLimits on Wine", err, errors.ErrUnsupported)
		_, err := CreateJob(JobSpec{Limits: limits})
		wantError(t, "CreateJob on Wine", err, errors.ErrUnsupported)
	} else if err != nil {
		t.Error(err)
	} else {
		checkLimitsAre(t, j, limits)
	}
	wantError(t, "no limits", j.SetLimits(JobLimits{}), nil)
	if !onWine() {
		checkLimitsAre(t, j, JobLimits{})
	}
	wantError(t, "Close", j.Close(), nil)
	p.ends(0) // limits leave it as it is that members end with the job
}

func checkLimitsAre(t *testing.T, j *Job, limits JobLimits) {
	t.Helper()
	var want sys.JobLimits
	setLimits(&want, limits)
	want.BasicLimitInformation.LimitFlags |= sys.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	got, err := sys.QueryJobLimits(j.handle)
	if err != nil || !sameLimits(got, want) {
		t.Errorf("the limits are %+v, %v, want %+v", got, err, limits)
	}
	rate, err := sys.QueryJobCPURate(j.handle)
	if err != nil || (rate.Flags != 0) != (limits.CPU > 0) {
		t.Errorf("the rate is %+v, %v, want %v processors", rate, err, limits.CPU)
	}
}

func TestJobCPURate(t *testing.T) {
	for _, test := range []struct {
		processors float64
		all        int
		want       uint32
	}{{1, 1, 10000}, {0.5, 2, 2500}, {3, 8, 3750}, {9, 8, 10000}, {1e-9, 8, 1}} {
		if got := cpuRate(test.processors, test.all); got != test.want {
			t.Errorf("%v of %d processors are %d, want %d", test.processors, test.all, got, test.want)
		}
	}
}

// TestJobStats: what the system counts is told, and only that.
func TestJobStats(t *testing.T) {
	j := createJob(t, JobSpec{})
	start(t, j, "exit", "0").ends(0)
	stats, err := j.Stats()
	if err != nil || !stats.Known.Total || stats.Total != 1 || stats.Active != 0 {
		t.Errorf("Stats() = %+v, %v, want one process", stats, err)
	}
	if stats.Known.Peak != (stats.Peak > 0) || stats.Known.CPU != stats.Known.Peak {
		t.Errorf("Stats() = %+v: a process takes memory", stats)
	}
	if stats.Known.Peak == onWine() {
		t.Errorf("Stats() = %+v, on Wine: %v", stats, onWine())
	}
	var limits sys.JobLimits
	limits.PeakJobMemoryUsed = 4096
	got := statsOf(sys.JobAccounting{UserTime: 20_000_000, KernelTime: 5_000_000, Total: 3}, limits)
	if got.CPU != 2500*time.Millisecond || got.Peak != 4096 || !got.Known.CPU || !got.Known.Peak {
		t.Errorf("statsOf() = %+v", got)
	}
}

// TestJobsWithFewerRights: a handle does what the owner grants, and says what it may
// not do.
func TestJobsWithFewerRights(t *testing.T) {
	for _, granted := range []uint32{
		sys.JOB_OBJECT_ASSIGN_PROCESS, sys.JOB_OBJECT_SET_ATTRIBUTES,
		sys.JOB_OBJECT_QUERY, sys.JOB_OBJECT_TERMINATE,
		sys.JOB_OBJECT_QUERY | sys.JOB_OBJECT_TERMINATE, 0,
	} {
		t.Run(fmt.Sprintf("%#x", granted), func(t *testing.T) { checkJobRights(t, granted) })
	}
}

func checkJobRights(t *testing.T, granted uint32) {
	name := newName(t)
	grant(t, createJob(t, JobSpec{Name: name}).handle, granted)
	_, again := CreateJob(JobSpec{Name: name})
	if granted == 0 {
		_, err := OpenJob(name, "")
		wantError(t, "opening what grants nothing", err, object.ErrPermission)
		wantError(t, "creating what grants nothing", again, object.ErrPermission)
		return
	}
	wantError(t, "creating what exists", again, object.ErrExist)
	j := openJob(t, name)
	_, _, list := j.Processes()
	_, empty := j.Empty()
	_, stats := j.Stats()
	const query = sys.JOB_OBJECT_QUERY
	checkDenied(t, object.Job, "listing", list, granted, query)
	checkDenied(t, object.Job, "looking", empty, granted, query)
	checkDenied(t, object.Job, "counting", stats, granted, query)
	checkDenied(t, object.Job, "waiting", j.Wait(soon(t)), granted, query)
	if needed := uint32(sys.JOB_OBJECT_SET_ATTRIBUTES); granted&needed == 0 {
		checkDenied(t, object.Job, "limiting", j.SetLimits(JobLimits{}), granted, needed)
	} else {
		checkDenied(t, object.Job, "limiting", j.SetLimits(JobLimits{}), granted, query)
	}
	checkDenied(t, object.Job, "terminating", j.Terminate(1), granted, sys.JOB_OBJECT_TERMINATE)
	if granted&sys.JOB_OBJECT_ASSIGN_PROCESS == 0 {
		p := newPlayer(t, "idle")
		checkDenied(t, object.Job, "starting", j.Start(p.cmd), granted, sys.JOB_OBJECT_ASSIGN_PROCESS)
		if p.cmd.Process != nil {
			t.Error("it was started")
		}
	} else {
		start(t, j, "exit", "3").ends(3)
	}
	if j.Exact() != (granted&query != 0) {
		t.Errorf("Exact() = %v with %#x granted", j.Exact(), granted)
	}
}

// TestOpeningJobsAsksForTheMostFirst: see TestOpeningAsksForTheMostFirst.
func TestOpeningJobsAsksForTheMostFirst(t *testing.T) {
	all := rightsMax(object.Job)
	for granted := range all + 1 {
		_, rights, err := openMost(object.Job, func(wanted uint32) (sys.Handle, error) {
			if wanted&^granted != 0 {
				return 0, sys.ERROR_ACCESS_DENIED
			}
			return 1, nil
		})
		if rights != granted || (err == nil) != (granted != 0) {
			t.Errorf("with %#x granted: opened for %#x, %v", granted, rights, err)
		}
	}
	err := checkRight(object.Job, all&^sys.JOB_OBJECT_ASSIGN_PROCESS, sys.JOB_OBJECT_ASSIGN_PROCESS)
	const want = "may terminate and query and limit the job, but not add processes to it"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v does not say %q", err, want)
	}
}

// TestJobsLeaveNoHandle counts handles over the life of jobs.
func TestJobsLeaveNoHandle(t *testing.T) {
	use := func() {
		name := newName(t)
		j := createJob(t, JobSpec{Name: name})
		opened := openJob(t, name)
		cmd := inRole("exit", "0")
		cmd.Stdin = nil
		_, again := CreateJob(JobSpec{Name: name})
		err := errors.Join(opened.Start(cmd), j.Wait(soon(t)), cmd.Wait(), j.SetLimits(JobLimits{}),
			opened.Close(), j.Close())
		if err != nil || !errors.Is(again, object.ErrExist) {
			t.Fatal(err, again)
		}
	}
	use()
	before := handleCount(t)
	const rounds = 10
	for range rounds {
		use()
	}
	if after := handleCount(t); after >= before+rounds {
		t.Errorf("%d handles became %d in %d rounds", before, after, rounds)
	}
}
