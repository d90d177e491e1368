package test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"testing"
)

// roles are what a process of this test binary does if it was started by a
// test of another one.
var roles = map[string]func(arguments []string) error{
	"peer":            servePeer,
	"storm":           stormWork,
	"mutexes":         fightForMutexes,
	"semaphore":       fightForPermits,
	"event":           answerSignals,
	"steps":           recordSteps,
	"jobs":            workOnJobs,
	"queue":           useQueue,
	"conn":            useConns,
	"conns":           holdConns,
	"few":             acceptFew,
	"dial few":        dialFew,
	"abuse":           abuseChannels,
	"scribble":        scribbleOver,
	"shaken":          waitWhileShaken,
	"history":         keepHistory,
	"shoot":           shoot,
	"collect shots":   collectShots,
	"timer":           useTimer,
	"use kit":         useKit,
	"be killed":       beKilled,
	"outlive":         outlive,
	"use told kit":    useToldKit,
	"give to foreign": giveToForeign,
	"idle":            idle,
	"idle with child": idleWithChild,
	"keep own job":    keepOwnJob,
	"hold job":        holdJob,
	"outlive holder":  outliveHolder,
	"make":            makeObjects,
}

// roleFailed is the exit code of a process that failed in its role. It is not
// what Windows gives one that was killed by os.Process.Kill, which is 1.
const roleFailed = 3

// wasKilled reports whether an error of Wait is that of a process that was
// killed, and did not end by itself.
func wasKilled(err error) bool {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if runtime.GOOS == "windows" {
		return ok && exit.ExitCode() == 1
	}
	return ok && exit.ExitCode() == -1
}

// roleVariable names the environment variable that gives a process its role.
const roleVariable = "FILEMAP_TEST_ROLE"

// parentVariable names the environment variable with the number of the process that
// starts one in a role.
const parentVariable = "FILEMAP_TEST_PARENT"

func TestMain(m *testing.M) {
	name := os.Getenv(roleVariable)
	if name == "" {
		os.Exit(m.Run())
	}
	if err := roles[name](os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(roleFailed)
	}
	os.Exit(0)
}

// inRole returns a command that runs a program, this test binary or a copy of
// it, in a role.
func inRole(role, program string, arguments ...string) *exec.Cmd {
	cmd := exec.Command(program, arguments...)
	// The race detector would have each process wait a second at its end.
	cmd.Env = append(os.Environ(), roleVariable+"="+role, parentVariable+"="+strconv.Itoa(os.Getpid()),
		"GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	return cmd
}

// begin starts a process by a new command each time, until Wine can: now and
// then it cannot, which says nothing about ours.
func begin(t testing.TB, command func() *exec.Cmd) *exec.Cmd {
	t.Helper()
	const attempts, errorInternal = 3, syscall.Errno(1359)
	for i := 1; ; i++ {
		cmd := command()
		err := cmd.Start()
		if err == nil {
			return cmd
		}
		if runtime.GOOS != "windows" || !errors.Is(err, errorInternal) || i == attempts {
			t.Fatalf("Start: %v", err)
		}
	}
}

// thisBinary returns the path of the test binary.
func thisBinary(t testing.TB) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
