package job_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/job"
)

const cgroupVariable = "FILEMAP_CGROUP"

// needsCgroup skips a test where jobs can have no cgroup.
func needsCgroup(t testing.TB) {
	t.Helper()
	j, err := job.Create("", &job.Options{Exact: true})
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err == nil {
		err = j.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// bothWays runs a test of jobs under guards, and of jobs with a cgroup.
func bothWays(t *testing.T, test func(*testing.T)) {
	t.Run("guards", func(t *testing.T) {
		t.Setenv(cgroupVariable, "off")
		test(t)
	})
	t.Run("cgroup", func(t *testing.T) {
		needsCgroup(t)
		test(t)
	})
}

// underGuards reports whether jobs are made without cgroups.
func underGuards() bool { return os.Getenv(cgroupVariable) == "off" }

// killAtOnce kills processes such that none sees the others die, and returns when they
// are dead.
func killAtOnce(t testing.TB, pids ...int) {
	t.Helper()
	for _, signal := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGKILL} {
		for _, pid := range pids {
			if err := syscall.Kill(pid, signal); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, pid := range pids {
		expectDead(t, pid)
	}
}

// killKeepersAndHolder starts a tree in a job, and kills its keepers and its holder.
func killKeepersAndHolder(t testing.TB, name string, s sleeper, meanwhile func()) {
	t.Helper()
	holder := startHolder(t, name, s)
	s.expect(t, 4)
	both := guards(t, holder.Process.Pid)
	meanwhile()
	killAtOnce(t, append(both, holder.Process.Pid)...)
	_ = holder.Wait()
	s.expect(t, 4)
}

func noMore() {}

// TestKeepersKilledAtOnce kills both keepers and the holder, and then finds the members
// by another handle, and ends them.
func TestKeepersKilledAtOnce(t *testing.T) {
	needsCgroup(t)
	s, name := newSleeper(), `Local\GuardsKilled`
	var other *job.Job
	killKeepersAndHolder(t, name, s, func() {
		var err error
		if other, err = job.Open(name, nil); err != nil {
			t.Fatal(err)
		}
	})
	defer other.Close()
	if empty, err := job.Open(name, nil); err != nil || !empty.Exact() {
		t.Errorf("Open: %v", err)
	} else if err := empty.Close(); err != nil {
		t.Error(err)
	}
	if pids, others, err := other.Processes(); err != nil || others != 0 || len(pids) < 4 {
		t.Errorf("Processes: %v, %d others, %v", pids, others, err)
	}
	if err := other.Terminate(1); err != nil {
		t.Fatal(err)
	}
	if err := other.Wait(deadline(t)); err != nil {
		t.Fatal(err)
	}
	s.expect(t, 0)
	if err := start(t, other, exec.Command("true")).Wait(); err != nil { // the job goes on
		t.Error(err)
	}
}

// TestLastHandleWithoutKeepers closes the last handle when both keepers were killed.
func TestLastHandleWithoutKeepers(t *testing.T) {
	needsCgroup(t)
	for _, name := range []string{"", `Local\WithoutGuards`} {
		s := newSleeper()
		j := create(t, name, nil)
		cmd := start(t, j, tree(s))
		s.expect(t, 4)
		killAtOnce(t, guards(t, os.Getpid())...)
		time.Sleep(50 * time.Millisecond)
		s.expect(t, 4)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		s.expect(t, 0)
		_ = cmd.Wait()
	}
}

// TestCleaning kills keepers and holders, and has what is left cleaned away.
func TestCleaning(t *testing.T) {
	needsCgroup(t)
	for what, clean := range map[string]func(name string) error{
		"Clean": func(string) error {
			_, err := inspect.Clean()
			return err
		},
		"Create": func(name string) error { // which finds the dead job
			j, err := job.Create(name, nil)
			if err == nil {
				err = j.Close()
			}
			return err
		},
	} {
		t.Run(what, func(t *testing.T) {
			s, name := newSleeper(), `Local\Cleaning`
			killKeepersAndHolder(t, name, s, noMore)
			if err := clean(name); err != nil {
				t.Fatal(err)
			}
			s.expect(t, 0)
		})
	}
	t.Run("Clean, no name", func(t *testing.T) {
		s := newSleeper()
		killKeepersAndHolder(t, "", s, noMore)
		if _, err := inspect.Clean(); err != nil {
			t.Fatal(err)
		}
		s.expect(t, 0)
	})
}

// TestCleaningLeaves looks after the members of a job that leaves them alone.
func TestCleaningLeaves(t *testing.T) {
	needsCgroup(t)
	s := newSleeper()
	j := create(t, "", &job.Options{Leave: true})
	cmd := start(t, j, exec.Command("sleep", string(s)))
	s.expect(t, 1)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	killAtOnce(t, guards(t, os.Getpid())...)
	if _, err := inspect.Clean(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	s.expect(t, 1)
	if err := syscall.Kill(s.alive()[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	s.expect(t, 0)
	dir := jobsIn(filepath.Join(cgroupMount(), ownCgroup()))
	for range 200 {
		if _, err := inspect.Clean(); err != nil {
			t.Fatal(err)
		}
		if len(cgroupsIn(dir)) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("cgroups are left: %q", cgroupsIn(dir))
}

// TestAdd adds a process to a job, which ends it in several ways.
func TestAdd(t *testing.T) {
	needsCgroup(t)
	for what, end := range map[string]func(*job.Job) error{
		"Terminate": func(j *job.Job) error { return j.Terminate(1) },
		"Close":     func(j *job.Job) error { return j.Close() },
		"Close, after a command": func(j *job.Job) error {
			cmd := start(t, j, exec.Command("true"))
			return errors.Join(cmd.Wait(), j.Close())
		},
	} {
		t.Run(what, func(t *testing.T) {
			s := newSleeper()
			j := create(t, "", nil)
			cmd := exec.Command("sleep", string(s))
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if err := j.Add(cmd.Process); err != nil {
				t.Fatal(err)
			}
			if member, err := j.Contains(cmd.Process.Pid); err != nil || !member {
				t.Errorf("Contains: %v, %v", member, err)
			}
			if got, err := j.Stats(); err != nil || got.Active != 1 {
				t.Errorf("Stats: %+v, %v", got, err)
			}
			if err := end(j); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			if err := j.Add(cmd.Process); err == nil {
				t.Error("Add of a process that has ended: no error")
			}
		})
	}
}

// TestAddedDiesWithTheHolder kills the holder of a job in which nothing was started.
func TestAddedDiesWithTheHolder(t *testing.T) {
	needsCgroup(t)
	s := newSleeper()
	holder := startParty(t, "hold added", string(s))
	holder.await(t, "added")
	s.expect(t, 1)
	holder.kill()
	s.expect(t, 0)
}

func init() { roles["hold added"] = holdAdded }

// holdAdded is the role of a process that adds a sleeper to a job and holds that.
func holdAdded(arguments []string) error {
	cmd := exec.Command("sleep", arguments[0])
	if err := cmd.Start(); err != nil {
		return err
	}
	j, err := job.Create("", nil)
	if err != nil {
		return err
	}
	defer j.Close()
	if err := j.Add(cmd.Process); err != nil {
		return err
	}
	fmt.Println("added")
	return untilKilled()
}

// TestKeepersStayForTheAdded kills the holder of a job in which only a process is left
// that was added.
func TestKeepersStayForTheAdded(t *testing.T) {
	needsCgroup(t)
	tree, added, name := newSleeper(), newSleeper(), `Local\Added`
	holder := startHolder(t, name, tree)
	tree.expect(t, 4)
	j, err := job.Open(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sleep", string(added))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(j.Add(cmd.Process), j.Close()); err != nil {
		t.Fatal(err)
	}
	if err := holder.Process.Signal(syscall.SIGSTOP); err != nil { // it would end with its command
		t.Fatal(err)
	}
	for _, pid := range tree.alive() {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	tree.expect(t, 0)
	time.Sleep(50 * time.Millisecond)
	added.expect(t, 1)
	_ = holder.Process.Kill()
	_ = holder.Wait()
	_ = cmd.Wait()
}

// TestJobInJob ends a job in which a member has another one.
func TestJobInJob(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		s := newSleeper()
		j := create(t, "", nil)
		holder := start(t, j, inRole(t, "hold", `Local\Inner`, string(s)))
		s.expect(t, 4)
		if pids, others, err := j.Processes(); err != nil || others != 0 || len(pids) < 7 { // with the inner job's guards or keepers
			t.Errorf("Processes: %v, %d others, %v", pids, others, err)
		}
		if err := j.Terminate(1); err != nil {
			t.Fatal(err)
		}
		if err := j.Wait(deadline(t)); err != nil {
			t.Fatal(err)
		}
		s.expect(t, 0)
		_ = holder.Wait()
	})
}

// TestStartAfterTerminate starts commands in a job that was terminated a moment ago.
func TestStartAfterTerminate(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		j := create(t, "", nil)
		for range 5 {
			killed := start(t, j, exec.Command("sleep", "1000"))
			if err := j.Terminate(1); err != nil {
				t.Fatal(err)
			}
			if err := start(t, j, exec.Command("true")).Wait(); err != nil {
				t.Errorf("a command that has started since: %v", err)
			}
			_ = killed.Wait()
		}
	})
}

// TestExact asks for jobs that the system keeps together.
func TestExact(t *testing.T) {
	t.Run("guards", func(t *testing.T) {
		t.Setenv(cgroupVariable, "off")
		if j := create(t, "", nil); j.Exact() {
			t.Error("Exact, under guards")
		}
		_, err := job.Create("", &job.Options{Exact: true})
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("Create: %v", err)
		}
	})
	t.Run("cgroup", func(t *testing.T) {
		needsCgroup(t)
		j := create(t, "", &job.Options{Exact: true})
		if !j.Exact() {
			t.Error("an exact job is not")
		}
		cmd := exec.Command("true")
		cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: 0}
		if err := j.Start(cmd); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("Start in another cgroup: %v", err)
		}
	})
}

// TestStatsOfTheDead counts what members have used that have ended.
func TestStatsOfTheDead(t *testing.T) {
	needsCgroup(t)
	j := create(t, "", nil)
	cmd := start(t, j, exec.Command("sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"))
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	got, err := j.Stats()
	if err != nil || got.Active != 0 || !got.Known.CPU || got.CPU < time.Millisecond {
		t.Errorf("Stats: %+v, %v", got, err)
	}
}
