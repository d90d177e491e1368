package job_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/filemap-go/filemap/job"
)

func init() { roles["eat"], roles["limit"] = eat, limitJob }

const mebibyte = 1 << 20

// eat is the role of a process that uses some memory.
func eat(arguments []string) error {
	size, err := strconv.Atoi(arguments[0])
	if err != nil {
		return err
	}
	memory := make([]byte, size)
	for i := 0; i < len(memory); i += os.Getpagesize() {
		memory[i] = 1
	}
	fmt.Println("eaten")
	return nil
}

// createLimited creates a job with limits. It skips the test where the system has
// no controllers for them.
func createLimited(t testing.TB, limits job.Limits) *job.Job {
	t.Helper()
	j, err := job.Create("", &job.Options{Limits: limits})
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skipf("not for a machine without controllers of cgroups, which .ci/vm has: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}

// TestMemoryLimit has one member need more memory than there is: all are killed.
func TestMemoryLimit(t *testing.T) {
	j := createLimited(t, job.Limits{Memory: 64 * mebibyte})
	beside := newSleeper()
	other := start(t, j, exec.Command("sleep", string(beside)))
	beside.expect(t, 1)
	if err := start(t, j, inRole(t, "eat", strconv.Itoa(8*mebibyte))).Wait(); err != nil {
		t.Errorf("a member that uses less: %v", err)
	}
	if got, err := j.Stats(); err != nil || got.Killed != 0 || !got.Known.Killed {
		t.Errorf("Stats before: %+v, %v", got, err)
	}
	if err := start(t, j, inRole(t, "eat", strconv.Itoa(200*mebibyte))).Wait(); !isKilled(err) {
		t.Errorf("a member that uses more: %v", err)
	}
	if err := other.Wait(); !isKilled(err) {
		t.Errorf("another member: %v", err)
	}
	got, err := j.Stats()
	if err != nil || got.Killed < 2 {
		t.Errorf("Stats: %+v, %v", got, err)
	}
	if got.Known.Peak && (got.Peak < 32*mebibyte || got.Peak > 65*mebibyte) { // Linux 5.19
		t.Errorf("most memory: %d bytes", got.Peak)
	}
	if err := j.SetLimits(job.Limits{}); err != nil {
		t.Fatal(err)
	}
	if err := start(t, j, inRole(t, "eat", strconv.Itoa(200*mebibyte))).Wait(); err != nil {
		t.Errorf("without the limit: %v", err)
	}
}

func isKilled(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// TestProcessLimit has a command start more processes than there may be.
func TestProcessLimit(t *testing.T) {
	const most = 10
	j := createLimited(t, job.Limits{Processes: most})
	s := newSleeper()
	bomb := fmt.Sprintf("i=0; while [ $i -lt 200 ]; do sleep %s & i=$((i+1)); done", s)
	_ = start(t, j, exec.Command("sh", "-c", bomb)).Wait() // a shell may end at the first failure
	got, err := j.Stats()
	if err != nil || got.Active < most-2 || got.Active > most {
		t.Errorf("Stats: %+v, %v", got, err)
	}
	if n := len(s.alive()); n > most {
		t.Errorf("%d processes", n)
	}
	if err := errors.Join(j.Terminate(1), j.Wait(deadline(t))); err != nil {
		t.Fatal(err)
	}
	if err := start(t, j, exec.Command("true")).Wait(); err != nil {
		t.Errorf("when there are fewer: %v", err)
	}
}

// TestCPULimit has a member compute without a pause.
func TestCPULimit(t *testing.T) {
	j := createLimited(t, job.Limits{CPU: 0.1})
	cmd := start(t, j, exec.Command("sh", "-c", "while :; do :; done"))
	begun := time.Now()
	time.Sleep(time.Second)
	got, err := j.Stats()
	if most := time.Since(begun) / 2; err != nil || got.CPU == 0 || got.CPU > most {
		t.Errorf("Stats: %+v, %v, want up to %v", got, err, most)
	}
	if err := j.Terminate(1); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
}

// TestLimitsOfARunningJob limits a job that has members, and was created without
// limits.
func TestLimitsOfARunningJob(t *testing.T) {
	createLimited(t, job.Limits{Processes: 1}) // skips, where there are none
	j := create(t, "", nil)
	cmd := exec.Command("sh", "-c", "read line; for i in 1 2 3; do sleep 0 & done; wait; echo done")
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	start(t, j, cmd)
	if err := j.SetLimits(job.Limits{Processes: 1, Memory: 512 * mebibyte, CPU: 2}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(input, "go on\n"); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(output); err != nil || strings.Contains(string(text), "done") {
		t.Errorf("a member has started others: %q, %v", text, err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("a member has started others")
	}
}

// limitJob is the role of a process that makes a job with a limit, and says in which
// cgroup it is then.
func limitJob([]string) error {
	j, err := job.Create("", &job.Options{Limits: job.Limits{Processes: 20}})
	if err != nil {
		return err
	}
	defer j.Close()
	if output, err := exec.Command("true").CombinedOutput(); err != nil {
		return fmt.Errorf("beside the job: %w\n%s", err, output)
	}
	cmd := exec.Command("true")
	if err := j.Start(cmd); err != nil {
		return err
	}
	fmt.Println(ownCgroup())
	return errors.Join(cmd.Wait(), j.SetLimits(job.Limits{CPU: 1, Memory: 512 * mebibyte}))
}

// TestLeaf makes limited jobs in a process that is alone in its cgroup, and in one
// that is not.
func TestLeaf(t *testing.T) {
	createLimited(t, job.Limits{Processes: 1, Memory: mebibyte, CPU: 1}) // all three controllers
	t.Run("alone", func(t *testing.T) {
		dir, output, err := limitIn(t, "", nil)
		if err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
		if got, want := strings.TrimSpace(output), filepath.Join(filepath.Base(dir), leafName); !strings.HasSuffix(got, want) {
			t.Errorf("in the cgroup %s, want %s", got, want)
		}
	})
	t.Run("in a leaf", func(t *testing.T) {
		beside := exec.Command("sleep", "1000")
		if _, output, err := limitIn(t, leafName, beside); err != nil {
			t.Errorf("%v\n%s", err, output)
		}
	})
	t.Run("beside another", func(t *testing.T) {
		beside := exec.Command("sleep", "1000")
		_, output, err := limitIn(t, "", beside)
		if err == nil || !strings.Contains(output, "the controller pids") ||
			!strings.Contains(output, "processes in it (2)") || !strings.Contains(output, leafName) {
			t.Errorf("%v\n%s", err, output)
		}
	})
}

// limitIn runs the role in a cgroup of a new one, or in that itself, beside another
// process. It returns the new one, and what the role has written.
func limitIn(t *testing.T, below string, beside *exec.Cmd) (dir, output string, err error) {
	t.Helper()
	dir = filepath.Join(jobsIn(filepath.Join(cgroupMount(), ownCgroup())), "limit-test")
	place := filepath.Join(dir, below)
	if err := os.MkdirAll(place, 0o700); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := removeCgroups(filepath.Join(dir, leafName), dir); err != nil {
			t.Error(err)
		}
	}()
	group, err := os.Open(place)
	if err != nil {
		t.Fatal(err)
	}
	defer group.Close()
	in := &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(group.Fd())}
	if beside != nil {
		beside.SysProcAttr = in
		if err := beside.Start(); err != nil {
			t.Fatal(err)
		}
		defer beside.Wait()
		defer beside.Process.Kill()
	}
	cmd := inRole(t, "limit")
	cmd.SysProcAttr, cmd.Stderr = in, nil
	text, err := cmd.CombinedOutput()
	return dir, string(text), err
}
