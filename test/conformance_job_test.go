package test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/job"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// The cases of jobs. A member is a process of this test binary.

func newJob(t *testing.T, name string, opts *job.Options) *job.Job {
	t.Helper()
	j, err := job.Create(name, opts)
	return keepOpen(t, j, err)
}

func openJob(t *testing.T, name string) *job.Job {
	t.Helper()
	j, err := job.Open(name, nil)
	return keepOpen(t, j, err)
}

// startMember starts a process in a role that is killed when the test ends, and
// waits until it says that it is ready.
func startMember(t *testing.T, j *job.Job, role string, arguments ...string) *exec.Cmd {
	t.Helper()
	cmd := inRole(role, thisBinary(t), arguments...)
	ready, err := cmd.StdoutPipe()
	succeed(t, "StdoutPipe", err)
	start := cmd.Start
	if j != nil {
		start = func() error { return j.Start(cmd) }
	}
	succeed(t, "Start", start())
	t.Cleanup(func() { cmd.Process.Kill() })
	_, err = ready.Read(make([]byte, 1))
	succeed(t, "the member's word", err)
	return cmd
}

// idle is the role of a member that does nothing.
func idle([]string) error {
	fmt.Print("r")
	time.Sleep(time.Minute)
	return errors.New("nobody ended the member")
}

// idleWithChild is the role of a member that starts another.
func idleWithChild([]string) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	if err := inRole("idle", program).Start(); err != nil {
		return err
	}
	return idle(nil)
}

// keepOwnJob is the role of a member that opens its own job.
func keepOwnJob(arguments []string) error {
	j, err := job.Open(arguments[0], nil)
	if err != nil {
		return err
	}
	defer j.Close()
	return idle(nil)
}

// holdJob is the role of a process that has the only handle of a job with a member.
func holdJob(arguments []string) error {
	j, err := job.Create(arguments[0], nil)
	if err != nil {
		return err
	}
	defer j.Close()
	program, err := os.Executable()
	if err != nil {
		return err
	}
	if err := j.Start(inRole("outlive holder", program, arguments[1])); err != nil {
		return err
	}
	return idle(nil)
}

// outliveHolder is the role of that member: it says in a file that it lives.
func outliveHolder(arguments []string) error {
	for range 1000 {
		if err := os.WriteFile(arguments[0], []byte(time.Now().Format(time.RFC3339Nano)), 0o600); err != nil {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

func expectActive(t *testing.T, j *job.Job, want int) {
	t.Helper()
	stats, err := j.Stats()
	succeed(t, "Stats", err)
	if stats.Active != want {
		t.Errorf("%d members, want %d", stats.Active, want)
	}
}

// expectEndOf waits for the end of a member, and checks its exit code on Windows. On
// Linux it dies of a signal.
func expectEndOf(t *testing.T, cmd *exec.Cmd, code int) {
	t.Helper()
	err := cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); onWindows && got != code {
		t.Errorf("the member's exit code is %d, want %d", got, code)
	}
	if !onWindows && !wasKilled(err) {
		t.Errorf("the member ended with %v", err)
	}
}

func expectEmpty(t *testing.T, j *job.Job) {
	t.Helper()
	ctx, cancel := deadline()
	defer cancel()
	succeed(t, "Wait", j.Wait(ctx))
}

func jobExists(t *testing.T, ns *filemaptest.Namespace) {
	name := ns.Name("J")
	newJob(t, name, nil)
	_, err := job.Create(name, nil)
	expect(t, "Create again", err, fs.ErrExist)
	_, created, err := job.OpenOrCreate(name, nil)
	if err != nil || created {
		t.Errorf("OpenOrCreate: %v, %v", created, err)
	}
	openJob(t, name)
	openJob(t, `Local\`+name)
}

func jobMissing(t *testing.T, ns *filemaptest.Namespace) {
	_, err := job.Open(ns.Name("J"), nil)
	expect(t, "Open", err, fs.ErrNotExist)
	_, err = job.Open("", nil)
	expect(t, "Open of no name", err, object.ErrInvalidName)
}

func jobNameGoes(t *testing.T, ns *filemaptest.Namespace) {
	name := ns.Name("J")
	all := []*job.Job{newJob(t, name, nil), openJob(t, name), openJob(t, name)}
	for _, j := range all {
		openJob(t, name).Close()
		succeed(t, "Close", j.Close())
	}
	_, err := job.Open(name, nil)
	expect(t, "Open", err, fs.ErrNotExist)
}

func jobOverMapping(t *testing.T, ns *filemaptest.Namespace) {
	created(t, ns.Name("J"), 4096, nil)
	_, err := job.Create(ns.Name("J"), nil)
	expect(t, "Create", err, object.ErrWrongKind)
}

func jobForOthers(t *testing.T, ns *filemaptest.Namespace) {
	name := ns.Name("J")
	newJob(t, name, nil)
	_, err := waitable.CreateMutex(name, nil)
	expect(t, "CreateMutex", err, object.ErrWrongKind)
	_, err = waitable.OpenSemaphore(name)
	expect(t, "OpenSemaphore", err, object.ErrWrongKind)
	_, err = filemap.Open(name, nil)
	expect(t, "Open of a mapping", err, object.ErrWrongKind)
}

func jobBackslash(t *testing.T, ns *filemaptest.Namespace) {
	_, err := job.Create(`Local\a\b`, nil)
	expect(t, "Create", err, object.ErrInvalidName)
}

func jobMember(t *testing.T, ns *filemaptest.Namespace) {
	j := newJob(t, ns.Name("J"), nil)
	cmd := startMember(t, j, "idle")
	pids, others, err := j.Processes()
	if err != nil || len(pids) != 1 || others != 0 {
		t.Errorf("Processes: %v, %d others, %v", pids, others, err)
	}
	if member, err := j.Contains(os.Getpid()); member || err != nil {
		t.Errorf("the starter is a member: %v, %v", member, err)
	}
	stats, err := j.Stats()
	if err != nil || stats.Active != 1 || stats.Known.Total && stats.Total != 1 {
		t.Errorf("Stats: %+v, %v", stats, err)
	}
	succeed(t, "Terminate", j.Terminate(1))
	_ = cmd.Wait()
}

func jobTerminate(t *testing.T, ns *filemaptest.Namespace) {
	j := newJob(t, ns.Name("J"), nil)
	cmd := startMember(t, j, "idle")
	succeed(t, "Terminate", j.Terminate(42))
	expectEndOf(t, cmd, 42)
	expectEmpty(t, j)
	expectActive(t, j, 0)
	succeed(t, "Terminate without members", j.Terminate(1))
}

func jobChild(t *testing.T, ns *filemaptest.Namespace) {
	j := newJob(t, ns.Name("J"), nil)
	cmd := startMember(t, j, "idle with child")
	expectActive(t, j, 2)
	succeed(t, "Terminate", j.Terminate(1))
	expectEmpty(t, j)
	expectActive(t, j, 0)
	_ = cmd.Wait()
}

func jobKillsOnClose(t *testing.T, ns *filemaptest.Namespace) {
	j := newJob(t, ns.Name("J"), nil)
	cmd := startMember(t, j, "idle")
	succeed(t, "Close", j.Close())
	expectEndOf(t, cmd, 0)
}

func jobLeaves(t *testing.T, ns *filemaptest.Namespace) {
	j := newJob(t, ns.Name("J"), &job.Options{Leave: true})
	cmd := startMember(t, j, "idle")
	pids, _, err := j.Processes()
	succeed(t, "Processes", err)
	succeed(t, "Close", j.Close())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		t.Errorf("the member ended with %v", err)
	case <-time.After(200 * time.Millisecond):
		for _, pid := range pids { // what lives on would outlive the test
			member, err := os.FindProcess(pid)
			succeed(t, "FindProcess", err)
			succeed(t, "Kill", member.Kill())
		}
		<-ended
	}
	if !onWindows { // in Wine 8 members keep the name
		_, err := job.Open(ns.Name("J"), nil)
		expect(t, "Open", err, fs.ErrNotExist)
	}
}

func jobHolderKilled(t *testing.T, ns *filemaptest.Namespace) {
	word := fileOf(t, nil)
	holder := startMember(t, nil, "hold job", ns.Name("J"), word)
	succeed(t, "Kill", holder.Process.Kill())
	_ = holder.Wait()
	for last := ""; ; {
		time.Sleep(200 * time.Millisecond)
		said, err := os.ReadFile(word)
		succeed(t, "ReadFile", err)
		if string(said) == last {
			break
		}
		if last != "" && said != nil && time.Since(mustParse(t, last)) > 10*time.Second {
			t.Fatal("the member lives")
		}
		last = string(said)
	}
	if !onWindows { // in Wine 8 members keep the name
		_, err := job.Open(ns.Name("J"), nil)
		expect(t, "Open", err, fs.ErrNotExist)
	}
}

func mustParse(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text)
	succeed(t, "Parse", err)
	return at
}

func jobMemberKeeps(t *testing.T, ns *filemaptest.Namespace) {
	name := ns.Name("J")
	j := newJob(t, name, nil)
	cmd := startMember(t, j, "keep own job", name)
	succeed(t, "Close", j.Close())
	again := openJob(t, name)
	expectActive(t, again, 1)
	succeed(t, "Terminate", again.Terminate(1))
	expectEmpty(t, again)
	_ = cmd.Wait()
}

func jobTerminateByName(t *testing.T, ns *filemaptest.Namespace) {
	cmd := startMember(t, newJob(t, ns.Name("J"), nil), "idle")
	succeed(t, "Terminate", openJob(t, ns.Name("J")).Terminate(55))
	expectEndOf(t, cmd, 55)
}

func jobNested(t *testing.T, ns *filemaptest.Namespace) {
	first, second := newJob(t, ns.Name("J1"), nil), newJob(t, ns.Name("J2"), nil)
	cmd := startMember(t, first, "idle")
	succeed(t, "Add", second.Add(cmd.Process))
	for _, j := range []*job.Job{first, second} {
		if member, err := j.Contains(cmd.Process.Pid); !member || err != nil {
			t.Errorf("Contains: %v, %v", member, err)
		}
		expectActive(t, j, 1)
	}
	succeed(t, "Terminate", first.Terminate(5))
	expectEndOf(t, cmd, 5)
}

func jobEndIsSeen(t *testing.T, ns *filemaptest.Namespace) {
	j := newJob(t, ns.Name("J"), nil)
	succeed(t, "Wait without members", j.Wait(expired()))
	cmd := startMember(t, j, "idle")
	expect(t, "Wait with a member", j.Wait(expired()), context.Canceled)
	succeed(t, "Terminate", j.Terminate(1))
	expectEmpty(t, j)
	_ = cmd.Wait()
}
