package job_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/job"
)

// TestOnePairOfKeepers starts and terminates commands by several handles to a job.
func TestOnePairOfKeepers(t *testing.T) {
	needsCgroup(t)
	const name = `Local\OnePair`
	j := create(t, name, nil)
	other, err := job.Open(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	handles := []*job.Job{j, other}
	s := newSleeper()
	var starts sync.WaitGroup
	for i := range 10 {
		starts.Go(func() {
			cmd := exec.Command("sleep", string(s))
			if err := handles[i%2].Start(cmd); err != nil {
				t.Error(err)
				return
			}
			_ = cmd.Wait()
		})
	}
	s.expect(t, 10)
	for _, pid := range s.alive() {
		if sys.Parent(pid) != os.Getpid() {
			t.Errorf("the parent of command %d is %d, not this process", pid, sys.Parent(pid))
		}
	}
	both := guards(t, os.Getpid())
	for _, pid := range both {
		checkDetached(t, pid)
	}
	if err := other.Terminate(1); err != nil {
		t.Fatal(err)
	}
	starts.Wait()
	if err := other.Wait(deadline(t)); err != nil {
		t.Fatal(err)
	}
	if err := start(t, other, exec.Command("true")).Wait(); err != nil {
		t.Error(err)
	}
	if after := guards(t, os.Getpid()); after[0] != both[0] || after[1] != both[1] {
		t.Errorf("keepers %v, and %v after Terminate", both, after)
	}
	if err := errors.Join(j.Close(), other.Close()); err != nil {
		t.Fatal(err)
	}
	for _, pid := range both {
		expectGone(t, pid)
	}
}

// checkDetached looks whether a process has nothing of this one's session, terminal,
// streams and directory.
func checkDetached(t *testing.T, pid int) {
	t.Helper()
	session, terminal := sessionOf(t, pid)
	if own, _ := sessionOf(t, os.Getpid()); session == own || terminal != "0" {
		t.Errorf("keeper %d has session %s and terminal %s", pid, session, terminal)
	}
	proc := fmt.Sprintf("/proc/%d/", pid)
	if dir, err := os.Readlink(proc + "cwd"); err != nil || dir != "/" {
		t.Errorf("keeper %d is in %q, %v", pid, dir, err)
	}
	for fd := range 3 {
		if file, err := os.Readlink(proc + "fd/" + strconv.Itoa(fd)); err != nil || file != "/dev/null" {
			t.Errorf("keeper %d has descriptor %d open, %q, %v", pid, fd, file, err)
		}
	}
}

// sessionOf returns the session and the terminal of a process: proc_pid_stat(5).
func sessionOf(t *testing.T, pid int) (session, terminal string) {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat)[strings.LastIndex(string(stat), ")")+1:])
	return fields[3], fields[4]
}

// expectGone waits until there is no such process, and no zombie of it.
func expectGone(t *testing.T, pid int) {
	t.Helper()
	for range 500 {
		if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("process %d is still there", pid)
}

// expectDead waits until a process has ended, with all its threads: it may be a zombie,
// and has no locks.
func expectDead(t testing.TB, pid int) {
	t.Helper()
	for range 500 {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		threads, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		if err != nil || strings.Contains(string(stat), ") Z ") && len(threads) <= 1 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("process %d is still alive", pid)
}

// TestKeepersAgain kills the keepers of a job, and has the next command bring others.
func TestKeepersAgain(t *testing.T) {
	needsCgroup(t)
	s := newSleeper()
	holder := startParty(t, "hold and start again", string(s))
	holder.await(t, "started")
	killed := guards(t, holder.cmd.Process.Pid)
	killAtOnce(t, killed...)
	if _, err := io.WriteString(holder.input, "again\n"); err != nil {
		t.Fatal(err)
	}
	holder.await(t, "started")
	s.expect(t, 2)
	guards(t, holder.cmd.Process.Pid)
	holder.kill()
	s.expect(t, 0)
}

func init() { roles["hold and start again"] = holdAndStartAgain }

// holdAndStartAgain is the role of a process that starts a sleeper, and another one for
// each line that it reads.
func holdAndStartAgain(arguments []string) error {
	j, err := job.Create("", nil)
	if err != nil {
		return err
	}
	defer j.Close()
	for {
		if err := j.Start(exec.Command("sleep", arguments[0])); err != nil {
			return err
		}
		fmt.Println("started")
		if _, err := fmt.Scanln(new(string)); err != nil {
			return err
		}
	}
}

// TestStartWhileTerminated starts commands while two handles terminate the job. Each
// command runs or is killed, and those that start after that run.
func TestStartWhileTerminated(t *testing.T) {
	needsCgroup(t)
	j := create(t, `Local\WhileTerminated`, nil)
	other, err := job.Open(j.Name(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for range 20 {
		var all sync.WaitGroup
		for _, handle := range []*job.Job{j, other} {
			all.Go(func() {
				if err := handle.Terminate(1); err != nil {
					t.Error(err)
				}
			})
		}
		all.Go(func() {
			cmd := exec.Command("true")
			if err := j.Start(cmd); err != nil {
				t.Error(err)
				return
			}
			if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() >= 0 {
				t.Errorf("a command that may have been killed: %v", err)
			}
		})
		all.Wait()
		if err := start(t, j, exec.Command("true")).Wait(); err != nil {
			t.Errorf("a command that has started since: %v", err)
		}
	}
}

// TestStoppedCgroupsAreRemoved terminates a job many times.
func TestStoppedCgroupsAreRemoved(t *testing.T) {
	needsCgroup(t)
	j := create(t, "", nil)
	for range 5 {
		cmd := start(t, j, exec.Command("sleep", "1000"))
		if err := j.Terminate(1); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
	}
	var groups []string
	for range 500 {
		if groups = ownCgroups("filemap-*/[0-9]*"); len(groups) <= 1 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("cgroups are left: %q", groups)
}

// ownCgroups returns the cgroups in this process's that match a pattern.
func ownCgroups(pattern string) []string {
	found, _ := filepath.Glob(filepath.Join(cgroupMount(), ownCgroup(), pattern))
	return found
}

// TestRemovedCgroup starts a command when somebody has removed the job's cgroup: by
// guards.
func TestRemovedCgroup(t *testing.T) {
	needsCgroup(t)
	s := newSleeper()
	j := create(t, "", nil)
	for _, dir := range append(ownCgroups("filemap-*/0"), ownCgroups("filemap-*")...) {
		_ = os.Remove(dir) // those that others use have processes
	}
	cmd := start(t, j, exec.Command("sleep", string(s)))
	s.expect(t, 1)
	if member, err := j.Contains(s.alive()[0]); err != nil || !member {
		t.Errorf("Contains: %v, %v", member, err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	s.expect(t, 0)
	_ = cmd.Wait()
}

// TestChroot starts a command with another root, which guards can't.
func TestChroot(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		if os.Getuid() != 0 {
			t.Skip("needs root")
		}
		j := create(t, "", nil)
		cmd := exec.Command("true")
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: "/"}
		err := j.Start(cmd)
		if underGuards() {
			if !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("Start: %v", err)
			}
			return
		}
		if err == nil {
			err = cmd.Wait()
		}
		if err != nil || cmd.SysProcAttr.UseCgroupFD {
			t.Errorf("the command: %v; its attributes: %+v", err, cmd.SysProcAttr)
		}
	})
}

// TestForeignJobWithCgroup has another user, who can't see the job's cgroup, look at
// the job, terminate it, and wait for it.
func TestForeignJobWithCgroup(t *testing.T) {
	needsCgroup(t)
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	objects := publicDir(t)
	if err := os.Chmod(objects, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	t.Setenv("FILEMAP_DIR", objects)
	const name, user = `Global\ForeignCgroup`, 1000
	s := newSleeper()
	j := create(t, name, &job.Options{Security: everybody})
	if err := start(t, j, exec.Command("true")).Wait(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond) // the keepers have seen that
	cmd := start(t, j, exec.Command("sleep", string(s)))
	time.Sleep(100 * time.Millisecond)
	foreign := inRole(t, "end a foreign job", name)
	foreign.Path, foreign.Dir, foreign.Stderr = publicProgram(t), objects, nil
	foreign.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
	if output, err := foreign.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
	s.expect(t, 0)
	_ = cmd.Wait()
}

func init() { roles["end a foreign job"] = endForeignJob }

// endForeignJob is the role of a process of another user that ends the members of a
// job.
func endForeignJob(arguments []string) error {
	j, err := job.Open(arguments[0], nil)
	if err != nil {
		return err
	}
	defer j.Close()
	pids, others, err := j.Processes()
	if err != nil || len(pids) != 0 || others != 1 || j.Exact() {
		return fmt.Errorf("a job with a member: %v and %d others, exact: %v, %v", pids, others, j.Exact(), err)
	}
	if err := j.Terminate(1); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return j.Wait(ctx)
}
