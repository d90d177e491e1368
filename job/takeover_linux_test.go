package job_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/filemap-go/filemap/job"
	"github.com/filemap-go/filemap/object"
)

// TestTakeOver has a user with a cgroup create a job whose name another user's dead
// job has, in a directory where the user may not remove that one's file. A cgroup
// counts only if it belongs to the file's owner, so the job must do without.
func TestTakeOver(t *testing.T) {
	needsCgroup(t)
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	const dead, taker = 1001, 1000
	objects := publicDir(t)
	if err := os.Chmod(objects, 0o777|os.ModeSticky); err != nil { // as /dev/shm has it
		t.Fatal(err)
	}
	t.Setenv("FILEMAP_DIR", objects)
	program, group := publicProgram(t), delegatedCgroup(t, taker)
	run := func(user uint32, role string) {
		t.Helper()
		cmd := inRole(t, role, `Global\TakeOver`)
		cmd.Path, cmd.Dir, cmd.Stderr = program, objects, nil
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
		if user == taker {
			cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(group.Fd())
		}
		if output, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", role, err, output)
		}
	}
	run(dead, "leave job")
	run(taker, "take job over")
	if left := cgroupsIn(group.Name()); len(left) > 0 {
		t.Errorf("cgroups are left: %q", left)
	}
}

// delegatedCgroup returns a cgroup in which a user may make others, and which has
// none of its own processes left at the end.
func delegatedCgroup(t *testing.T, user int) *os.File {
	t.Helper()
	above := filepath.Join(cgroupMount(), ownCgroup(), "delegated")
	dir := filepath.Join(above, "processes")
	for _, path := range []string{above, dir} {
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := os.Remove(path); err != nil {
				t.Error(err)
			}
		})
		for _, file := range []string{"", "cgroup.procs", "cgroup.subtree_control"} {
			if err := os.Chown(filepath.Join(path, file), user, user); err != nil {
				t.Fatal(err)
			}
		}
	}
	group, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { group.Close() })
	return group
}

func init() { roles["leave job"], roles["take job over"] = leaveJob, takeJobOver }

var everybody = &job.Security{Everybody: object.ShareAll}

// leaveJob is the role of a process that ends without closing a job that everybody
// may use.
func leaveJob(arguments []string) error {
	_, err := job.Create(arguments[0], &job.Options{Security: everybody})
	return err
}

// takeJobOver is the role of a process that creates a job of a dead one's name.
func takeJobOver(arguments []string) error {
	free, err := job.Create("", &job.Options{Exact: true})
	if err != nil {
		return fmt.Errorf("a job in a file of its own: %w", err)
	}
	defer free.Close()
	exact, err := job.Create(arguments[0], &job.Options{Exact: true, Security: everybody})
	if err == nil {
		exact.Close()
	}
	if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "another user's dead object") {
		return fmt.Errorf("an exact job in the dead one's file: %v", err)
	}
	j, err := job.Create(arguments[0], &job.Options{Security: everybody})
	if err != nil {
		return err
	}
	defer j.Close()
	if j.Exact() {
		return errors.New("the job claims to be exact")
	}
	cmd := exec.Command("true")
	if err := j.Start(cmd); err != nil {
		return err
	}
	return cmd.Wait()
}
