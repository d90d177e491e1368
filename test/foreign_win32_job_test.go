package test

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/filemap-go/filemap/job"
)

// TestWin32Job: a C program and Go list and end each other's jobs, and wait for
// their members.
func TestWin32Job(t *testing.T) {
	w := newWin32(t)
	c, p := w.c("job"), w.peer()
	printed, end := w.start(c, "hold", w.name, "21")
	member := strings.Split(printed, "\n")[0]
	if got := p.job(request{Name: w.name}, "list"); got != "["+member+"]" {
		t.Errorf("a C program's job has the members %s, want %s", got, member)
	}
	p.job(request{Name: w.name, Size: 21}, "end")
	end()

	ours := w.name + "-Go" // Wine 8 keeps the name of a job for a while
	member = p.job(request{Name: ours, File: c}, "hold")
	w.say(member+"\n", c, "list", ours)
	w.say("ended", c, "end", ours, "22")
	if got := p.job(request{Name: ours}, "wait"); got != "22" {
		t.Errorf("a C program ends a member with %s, want 22", got)
	}
}

// job has the peer do something with a job, and returns what it says.
func (p *peer) job(r request, what string) string {
	p.t.Helper()
	r.Op, r.Data = "job", []byte(what)
	data, err := p.do(r)
	succeed(p.t, what, err)
	return string(data)
}

// heldJob is a job that a peer has made, and its member.
type heldJob struct {
	*job.Job
	member *exec.Cmd
}

// serveJob does what r.Data says with a job.
func (s *served) serveJob(r request) ([]byte, error) {
	switch string(r.Data) {
	case "hold":
		return s.holdJob(r)
	case "wait":
		return s.jobs[r.Name].wait()
	}
	j, err := job.Open(r.Name, nil)
	if err != nil {
		return nil, err
	}
	defer j.Close()
	if string(r.Data) == "list" {
		pids, _, err := j.Processes()
		return fmt.Append(nil, pids), err
	}
	ctx, cancel := deadline()
	defer cancel()
	return nil, errors.Join(j.Terminate(int(r.Size)), j.Wait(ctx))
}

// holdJob makes a job with a member, and returns that one's number.
func (s *served) holdJob(r request) ([]byte, error) {
	j, err := job.Create(r.Name, nil)
	if err != nil {
		return nil, err
	}
	member := exec.Command(r.File, "idle")
	if err := j.Start(member); err != nil {
		return nil, err
	}
	s.jobs[r.Name] = heldJob{j, member}
	return strconv.AppendInt(nil, int64(member.Process.Pid), 10), nil
}

// wait waits until the job has no members, and returns the exit code of its first.
func (h heldJob) wait() ([]byte, error) {
	ctx, cancel := deadline()
	defer cancel()
	if err := h.Wait(ctx); err != nil {
		return nil, err
	}
	_ = h.member.Wait()
	return strconv.AppendInt(nil, int64(h.member.ProcessState.ExitCode()), 10), h.Close()
}
