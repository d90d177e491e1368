package kernel

import (
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// jobCases are how the system's jobs behave: documented, or shown by the tests of
// Wine, and seen on Wine 8.
var jobCases = map[string]func(t *testing.T, name object.Name){
	"create-exists":              jobCreateExists,
	"open-missing":               jobOpenMissing,
	"name-gone-with-last-handle": jobNameGone,
	"create-over-mapping":        jobCreateOverMapping,
	"name-taken-for-others":      jobNameTaken,
	"name-backslash":             jobNameBackslash,
	"assign-list":                jobAssignList,
	"list-short-buffer":          jobListShortBuffer,
	"terminate-exit-code":        jobTerminateExitCode,
	"child-is-member":            jobChildIsMember,
	"kill-on-close":              jobKillOnClose,
	"leave":                      jobLeave,
	"holder-killed":              jobHolderKilled,
	"member-with-handle-keeps":   jobMemberKeeps,
	"terminate-by-name":          jobTerminateByName,
	"access":                     jobAccess,
	"signaled":                   jobSignaled,
	"limit-class":                jobUnknownLimit,
	"nested":                     jobNested,
	"breakaway":                  jobBreakaway,
	"parent-attribute":           jobParentAttribute,
}

func TestJobCases(t *testing.T) {
	for what, show := range jobCases {
		t.Run(what, func(t *testing.T) { show(t, newName(t)) })
	}
}

func jobCreateExists(t *testing.T, name object.Name) {
	createJob(t, JobSpec{Name: name})
	_, err := CreateJob(JobSpec{Name: name})
	wantError(t, "a second job", err, object.ErrExist)
	openJob(t, name)
	for _, spelled := range []string{name.Base, `Local\` + name.Base} {
		again, err := sys.CreateJobObject(nil, spelled)
		if again == 0 || err != sys.ERROR_ALREADY_EXISTS {
			t.Errorf("CreateJobObject(%q) = %v, %v", spelled, again, err)
		}
		sys.CloseHandle(again)
	}
}

func jobOpenMissing(t *testing.T, name object.Name) {
	_, err := OpenJob(name, "")
	wantError(t, "opening no job", err, object.ErrNotExist)
	_, err = sys.OpenJobObject(sys.JOB_OBJECT_QUERY, "")
	wantError(t, "opening no name", err, sys.ERROR_INVALID_HANDLE)
}

func jobNameGone(t *testing.T, name object.Name) {
	for _, j := range []*Job{createJob(t, JobSpec{Name: name}), openJob(t, name), openJob(t, name)} {
		wantError(t, "Close", j.Close(), nil)
	}
	_, err := OpenJob(name, "")
	wantError(t, "opening a closed job", err, object.ErrNotExist)
}

func jobCreateOverMapping(t *testing.T, name object.Name) {
	create(t, MappingSpec{Name: name, Size: 1})
	_, err := CreateJob(JobSpec{Name: name})
	wantError(t, "a job over a mapping", err, object.ErrWrongKind)
	_, err = OpenJob(name, "")
	wantError(t, "opening a mapping as a job", err, object.ErrWrongKind)
}

func jobNameTaken(t *testing.T, name object.Name) {
	createJob(t, JobSpec{Name: name})
	_, err := CreateSync(SyncSpec{Name: name, Kind: object.Mutex})
	wantError(t, "a mutex over a job", err, object.ErrWrongKind)
	_, err = OpenSync(name, object.Semaphore)
	wantError(t, "opening a job as a semaphore", err, object.ErrWrongKind)
	_, err = OpenMapping(t.Context(), name, object.ReadOnly)
	wantError(t, "opening a job as a mapping", err, object.ErrWrongKind)
}

func jobNameBackslash(t *testing.T, name object.Name) {
	_, err := CreateJob(JobSpec{Name: object.Name{Base: `a\` + name.Base}})
	wantError(t, "a name with a backslash", err, object.ErrInvalidName)
}

func jobAssignList(t *testing.T, name object.Name) {
	j := createJob(t, JobSpec{Name: name})
	p := newPlayer(t, "idle")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: sys.CREATE_SUSPENDED}
	p.start(nil)
	wantError(t, "Add", j.Add(p.cmd.Process), nil)
	wantMembers(t, openJob(t, name), 1, p.pid())
}

func jobListShortBuffer(t *testing.T, _ object.Name) {
	j := createJob(t, JobSpec{})
	want := []uintptr{}
	for range 3 {
		want = append(want, uintptr(start(t, j, "idle").pid()))
	}
	buffer := make([]uintptr, 2+64/strconv.IntSize) // two, and the header
	some, members, err := sys.JobProcesses(j.handle, buffer)
	if err != sys.ERROR_MORE_DATA || members != 3 || len(some) != 2 {
		t.Errorf("JobProcesses() = %v, %d, %v, want two of three", some, members, err)
	}
	all, err := listJob(j.handle, buffer)
	slices.Sort(all)
	slices.Sort(want)
	if err != nil || !slices.Equal(all, want) {
		t.Errorf("listJob() = %v, %v, want %v", all, err, want)
	}
}

func jobTerminateExitCode(t *testing.T, _ object.Name) {
	j := createJob(t, JobSpec{})
	p := start(t, j, "idle")
	wantError(t, "Terminate", j.Terminate(42), nil)
	p.ends(42)
	wantMembers(t, j, 1)
	wantError(t, "Terminate without members", j.Terminate(42), nil)
}

func jobChildIsMember(t *testing.T, _ object.Name) {
	j := createJob(t, JobSpec{})
	p := start(t, j, "parent")
	wantMembers(t, j, 2, p.number(), p.pid())
	wantError(t, "Terminate", j.Terminate(1), nil)
	wantEnd(t, j)
	wantMembers(t, j, 2)
}

func jobKillOnClose(t *testing.T, _ object.Name) {
	j := createJob(t, JobSpec{})
	p := start(t, j, "idle")
	wantError(t, "Close", j.Close(), nil)
	p.ends(0)
}

func jobLeave(t *testing.T, name object.Name) {
	j := createJob(t, JobSpec{Name: name, Leave: true})
	p := start(t, j, "parent")
	wantError(t, "Close", j.Close(), nil)
	if !onWine() { // in Wine 8 members keep the name
		_, err := OpenJob(name, "")
		wantError(t, "opening a job that is left", err, object.ErrNotExist)
	}
	p.number() // after the close
	p.end()
}

func jobHolderKilled(t *testing.T, name object.Name) {
	holder := start(t, nil, "holder", name.Base)
	member, err := os.FindProcess(holder.number())
	if err != nil {
		t.Fatal(err)
	}
	defer member.Release()
	j := openJob(t, name)
	wantMembers(t, j, 1, member.Pid)
	wantError(t, "Close", j.Close(), nil)
	wantError(t, "Kill", holder.cmd.Process.Kill(), nil)
	wantError(t, "the member's end", waitHandle(member), nil)
}

func jobMemberKeeps(t *testing.T, name object.Name) {
	j := createJob(t, JobSpec{Name: name})
	p := start(t, j, "keeper", name.Base)
	if got := p.says(); got != "ready" {
		t.Fatal(got)
	}
	wantError(t, "Close", j.Close(), nil)
	j = openJob(t, name)
	wantMembers(t, j, 1, p.pid())
	wantError(t, "Terminate", j.Terminate(6), nil)
	p.ends(6)
}

func jobTerminateByName(t *testing.T, name object.Name) {
	j := createJob(t, JobSpec{Name: name})
	p := start(t, j, "idle")
	start(t, nil, "terminator", name.Base, "55").ends(0)
	p.ends(55)
}

func jobAccess(t *testing.T, name object.Name) {
	createJob(t, JobSpec{Name: name})
	p := start(t, nil, "idle")
	query, err := sys.OpenJobObject(sys.JOB_OBJECT_QUERY, win32Name(name))
	if err != nil {
		t.Fatal(err)
	}
	defer sys.CloseHandle(query)
	wait, err := sys.OpenJobObject(sys.SYNCHRONIZE, win32Name(name))
	if err != nil {
		t.Fatal(err)
	}
	defer sys.CloseHandle(wait)
	wantError(t, "assigning", assign(query, p.cmd.Process), sys.ERROR_ACCESS_DENIED)
	wantError(t, "limiting", killOnClose(query), sys.ERROR_ACCESS_DENIED)
	wantError(t, "terminating", sys.TerminateJobObject(query, 1), sys.ERROR_ACCESS_DENIED)
	_, err = listJob(wait, make([]uintptr, 8))
	wantError(t, "listing", err, sys.ERROR_ACCESS_DENIED)
}

// jobSignaled is why a wait for the members' end is not one for the handle.
func jobSignaled(t *testing.T, _ object.Name) {
	j := createJob(t, JobSpec{})
	signaled := func(want bool) {
		t.Helper()
		if got := ended(j.handle); got != want {
			t.Errorf("signaled: %v, want %v", got, want)
		}
	}
	signaled(false)
	start(t, j, "exit", "0").ends(0)
	signaled(false)
	p := start(t, j, "idle")
	wantError(t, "Terminate", j.Terminate(0), nil)
	p.ends(0)
	signaled(true)
	p = start(t, j, "idle")
	signaled(true)
	wantMembers(t, j, 3, p.pid())
}

func jobUnknownLimit(t *testing.T, _ object.Name) {
	j := createJob(t, JobSpec{})
	var limits sys.JobLimits
	limits.BasicLimitInformation.LimitFlags = 1 << 31
	wantError(t, "an unknown limit", sys.SetJobLimits(j.handle, limits), sys.ERROR_INVALID_PARAMETER)
}

func jobNested(t *testing.T, _ object.Name) {
	outer, inner := createJob(t, JobSpec{}), createJob(t, JobSpec{})
	p := start(t, outer, "idle")
	wantError(t, "Add", inner.Add(p.cmd.Process), nil)
	wantMembers(t, outer, 1, p.pid())
	wantMembers(t, inner, 1, p.pid())
	wantError(t, "Terminate", outer.Terminate(5), nil)
	p.ends(5)
	wantEnd(t, inner)
}

func jobBreakaway(t *testing.T, _ object.Name) {
	j := createJob(t, JobSpec{})
	p := start(t, j, "leaver")
	if got := p.says(); got == "left" {
		t.Error("a child left the job")
	}
	p.ends(1)
	if !j.Exact() {
		t.Error("the job is not exact")
	}
	var limits sys.JobLimits
	limits.BasicLimitInformation.LimitFlags = sys.JOB_OBJECT_LIMIT_BREAKAWAY_OK
	wantError(t, "allowing it", sys.SetJobLimits(j.handle, limits), nil)
	p = start(t, j, "leaver")
	if got := p.says(); got != "left" {
		t.Error(got)
	}
	wantMembers(t, j, 2, p.pid())
	if !onWine() && j.Exact() { // Wine 8 does not tell
		t.Error("a job that members may leave is exact")
	}
	p.end()
}

func jobParentAttribute(t *testing.T, _ object.Name) {
	j := createJob(t, JobSpec{})
	parent := newPlayer(t, "idle")
	parent.cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: sys.CREATE_SUSPENDED}
	parent.start(j)
	child := inRole("exit", "0") // the parent has no handles to inherit
	child.Stdin = nil
	var started error
	err := withProcess(parent.cmd.Process, func(h sys.Handle) error {
		child.SysProcAttr = &syscall.SysProcAttr{
			ParentProcess: syscall.Handle(h), NoInheritHandles: true,
			CreationFlags: sys.CREATE_SUSPENDED,
		}
		started = child.Start()
		return started
	})
	if err != nil {
		t.Fatal(err)
	}
	wantMembers(t, j, 2, parent.pid(), child.Process.Pid)
	wantError(t, "Terminate", j.Terminate(1), nil)
	_ = child.Wait()
}
