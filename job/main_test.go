package job_test

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"github.com/filemap-go/filemap/job"
)

// roles are what a process of this test binary does if it was started by a test of
// another one.
var roles = map[string]func(arguments []string) error{
	"hold":            holdJob,
	"sleep":           sleep,
	"besides stopped": runBesidesStopped,
}

// runBesidesStopped is the role of a process that runs a command in a job while
// another process of its group is stopped.
func runBesidesStopped([]string) error {
	stopped := exec.Command("sh", "-c", "kill -STOP $$")
	if err := stopped.Start(); err != nil {
		return err
	}
	defer stopped.Wait()
	defer stopped.Process.Kill()
	time.Sleep(100 * time.Millisecond) // until it is stopped
	j, err := job.Create("", nil)
	if err != nil {
		return err
	}
	defer j.Close()
	for range 3 {
		cmd := exec.Command("sh", "-c", "true & exit 0")
		if err := j.Start(cmd); err != nil {
			return err
		}
		if err := cmd.Wait(); err != nil {
			return err
		}
	}
	time.Sleep(100 * time.Millisecond) // for a late hangup
	return nil
}

// sleep is the role of a process that runs for a length of time.
func sleep(arguments []string) error {
	length, err := time.ParseDuration(arguments[0])
	time.Sleep(length)
	return err
}

// holdJob is the role of a process that starts a tree in a job and holds that. Its
// arguments are the job's name and the sleeper.
func holdJob(arguments []string) error {
	j, err := job.Create(arguments[0], nil)
	if err != nil {
		return err
	}
	cmd := tree(sleeper(arguments[1]))
	if err := j.Start(cmd); err != nil {
		return err
	}
	fmt.Println("started")
	return cmd.Wait()
}

// sleeper is a length of sleep that no other process has.
type sleeper string

// tree starts four sleepers, of which each would escape from something: it forks
// twice, has a session of its own, has closed its files, or has no environment.
func tree(s sleeper) *exec.Cmd {
	sleep := "sleep " + string(s)
	return exec.Command("sh", "-c", fmt.Sprintf(
		"( (%[1]s & ) & ); setsid %[1]s & env -i %[1]s <&- >&- 2>&- & %[1]s", sleep))
}

// roleVariable names the environment variable that gives a process its role.
const roleVariable = "FILEMAP_TEST_ROLE"

func TestMain(m *testing.M) {
	role, ok := roles[os.Getenv(roleVariable)]
	if !ok {
		os.Exit(runIsolated(m))
	}
	if err := role(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// runIsolated runs the tests, and the examples, where they meet no objects of others.
func runIsolated(m *testing.M) int {
	if runtime.GOOS == "linux" {
		dir, err := os.MkdirTemp("/dev/shm", "job-test-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		os.Setenv("FILEMAP_DIR", dir)
	}
	leave := isolateCgroup()
	code := m.Run()
	if err := leave(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}
