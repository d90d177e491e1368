package job_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/job"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

func create(t testing.TB, name string, opts *job.Options) *job.Job {
	t.Helper()
	j, err := job.Create(name, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
	})
	return j
}

func start(t testing.TB, j *job.Job, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	if err := j.Start(cmd); err != nil {
		t.Fatal(err)
	}
	return cmd
}

var sleepers atomic.Int64

func newSleeper() sleeper {
	return sleeper(fmt.Sprintf("1000.%d%04d", os.Getpid(), sleepers.Add(1)))
}

// alive returns the processes that sleep so.
func (s sleeper) alive() (all []int) {
	for pid, arguments := range commandLines() {
		if arguments == "sleep\x00"+string(s)+"\x00" {
			all = append(all, pid)
		}
	}
	return all
}

// commandLines returns the arguments of all processes, each with a zero byte after
// it.
func commandLines() map[int]string {
	all := make(map[int]string)
	paths, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range paths {
		if text, err := os.ReadFile(path); err == nil {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			all[pid] = string(text)
		}
	}
	return all
}

// expect waits until so many processes sleep.
func (s sleeper) expect(t testing.TB, n int) {
	t.Helper()
	var got []int
	for range 500 {
		if got = s.alive(); len(got) == n {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%d processes are alive, want %d", len(got), n)
}

func deadline(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// treeSleepers is how many processes a tree has that sleep.
const treeSleepers = 4

func TestMembersDieWithTheLastHandle(t *testing.T) { bothWays(t, membersDieWithTheLastHandle) }

func membersDieWithTheLastHandle(t *testing.T) {
	for _, name := range []string{"", `Local\LastHandle`} {
		s := newSleeper()
		j := create(t, name, nil)
		cmd := start(t, j, tree(s))
		s.expect(t, 4)
		if pids, others, err := j.Processes(); err != nil || others != 0 || len(pids) < 4 {
			t.Errorf("Processes: %v, %d others, %v", pids, others, err)
		}
		for _, pid := range s.alive() {
			if member, err := j.Contains(pid); err != nil || !member {
				t.Errorf("Contains: %v, %v", member, err)
			}
		}
		if name != "" {
			second, err := job.Open(name, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Millisecond)
			s.expect(t, 4)
			j = second
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		s.expect(t, 0)
		if err := cmd.Wait(); err == nil {
			t.Error("the command ended well")
		}
		if name != "" {
			if _, err := job.Open(name, nil); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("Open: %v", err)
			}
		}
	}
}

// startHolder starts a process that holds a job.
func startHolder(t testing.TB, name string, s sleeper) *exec.Cmd {
	t.Helper()
	holder := inRole(t, "hold", name, string(s))
	output, err := holder.StdoutPipe()
	if err == nil {
		err = holder.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(output, make([]byte, len("started\n"))); err != nil {
		t.Fatal(err)
	}
	return holder
}

func TestMembersDieWithTheKilledHolder(t *testing.T) { bothWays(t, membersDieWithTheKilledHolder) }

func membersDieWithTheKilledHolder(t *testing.T) {
	for _, name := range []string{"", `Local\KilledHolder`} {
		s := newSleeper()
		holder := startHolder(t, name, s)
		s.expect(t, 4)
		if err := holder.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = holder.Wait()
		s.expect(t, 0)
		if name != "" {
			again := create(t, name, nil)
			if err := again.Wait(deadline(t)); err != nil {
				t.Error(err)
			}
		}
	}
}

// guards returns the guards or keepers below a process, the outer one first. Those of
// jobs that have ended end, too, if the process had any.
func guards(t testing.TB, parent int) []int {
	t.Helper()
	var outer, inner []int
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		if outer = guardsBelow(parent); len(outer) == 1 {
			if inner = guardsBelow(outer[0]); len(inner) == 1 {
				return append(outer, inner...)
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("outer guards %v, and inner guards %v of the first, want one pair", outer, inner)
	return nil
}

func guardsBelow(parent int) (all []int) {
	for pid, arguments := range commandLines() {
		if isGuard(arguments) && sys.Parent(pid) == parent {
			all = append(all, pid)
		}
	}
	return all
}

func isGuard(arguments string) bool { return strings.HasPrefix(arguments, "filemap-guard-") }

// TestKilledGuard kills one of the guards or keepers, and then the holder.
func TestKilledGuard(t *testing.T) { bothWays(t, killedGuard) }

func killedGuard(t *testing.T) {
	for i, which := range []string{"outer", "inner"} {
		t.Run(which, func(t *testing.T) {
			s, name := newSleeper(), `Local\KilledGuard-`+which
			holder := startHolder(t, name, s)
			s.expect(t, 4)
			both := guards(t, holder.Process.Pid)
			j, err := job.Open(name, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := syscall.Kill(both[i], syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			if which == "outer" && underGuards() {
				_ = holder.Wait() // the command is killed, as the holder thinks
			} else {
				time.Sleep(50 * time.Millisecond)
				s.expect(t, 4)
				_ = holder.Process.Kill()
				_ = holder.Wait()
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			s.expect(t, 0)
		})
	}
}

// TestStoppedGuard stops one of the guards or keepers, and then kills the holder.
func TestStoppedGuard(t *testing.T) { bothWays(t, stoppedGuard) }

func stoppedGuard(t *testing.T) {
	for i, which := range []string{"outer", "inner"} {
		t.Run(which, func(t *testing.T) {
			s := newSleeper()
			holder := startHolder(t, "", s)
			s.expect(t, 4)
			both := guards(t, holder.Process.Pid)
			if err := syscall.Kill(both[i], syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			_ = holder.Process.Kill()
			_ = holder.Wait()
			s.expect(t, 0)
			_ = syscall.Kill(both[i], syscall.SIGCONT)
		})
	}
}

func TestTerminateByName(t *testing.T) { bothWays(t, terminateByName) }

func terminateByName(t *testing.T) {
	s, name := newSleeper(), `Local\Terminate`
	j := create(t, name, nil)
	cmd := start(t, j, tree(s))
	s.expect(t, 4)
	other, err := job.Open(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := other.Terminate(1); err != nil {
		t.Fatal(err)
	}
	if err := other.Wait(deadline(t)); err != nil {
		t.Fatal(err)
	}
	s.expect(t, 0)
	if err := cmd.Wait(); err == nil {
		t.Error("the command ended well")
	}
	second := start(t, j, exec.Command("true")) // the job goes on
	if err := second.Wait(); err != nil {
		t.Error(err)
	}
}

// TestWaitForEmpty has Any wait for a job together with an event.
func TestWaitForEmpty(t *testing.T) { bothWays(t, waitForEmpty) }

func waitForEmpty(t *testing.T) {
	j := create(t, "", nil)
	event, err := waitable.CreateEvent("", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer event.Close()
	if got, err := waitable.Any(deadline(t), event, j.Empty()); err != nil || got.Index != 1 {
		t.Errorf("Any of a job without members: %d, %v", got.Index, err)
	}
	cmd := start(t, j, exec.Command("sleep", "0.2"))
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if err := j.Wait(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait while there is a member: %v", err)
	}
	if got, err := waitable.Any(deadline(t), event, j.Empty()); err != nil || got.Index != 1 {
		t.Errorf("Any: %d, %v", got.Index, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	start(t, j, exec.Command("sleep", "1000"))
	if err := event.Set(); err != nil {
		t.Fatal(err)
	}
	if got, err := waitable.Any(deadline(t), j.Empty(), event); err != nil || got.Index != 1 {
		t.Errorf("Any with the event set: %d, %v", got.Index, err)
	}
}

func TestCommandIsWhatItWas(t *testing.T) { bothWays(t, commandIsWhatItWas) }

func commandIsWhatItWas(t *testing.T) {
	j := create(t, "", nil)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	var output bytes.Buffer
	cmd := exec.Command("sh", "-c", `cat; pwd; echo "$0 $1 $X"; echo extra >&3; exit 7`, "zero", "one")
	cmd.Stdin, cmd.Stdout = strings.NewReader("input\n"), &output
	cmd.Dir, cmd.Env = "/", []string{"X=x", "PATH=" + os.Getenv("PATH")}
	cmd.ExtraFiles = []*os.File{write}
	start(t, j, cmd)
	write.Close()
	extra, err := io.ReadAll(read)
	if err != nil || string(extra) != "extra\n" {
		t.Errorf("through the extra file came %q, %v", extra, err)
	}
	err = cmd.Wait()
	if want := "input\n/\nzero one x\n"; output.String() != want {
		t.Errorf("the command printed %q, want %q", output.String(), want)
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 7 {
		t.Errorf("Wait: %v, want exit code 7", err)
	}
}

func TestSignals(t *testing.T) { bothWays(t, signals) }

func signals(t *testing.T) {
	j := create(t, "", nil)
	var output bytes.Buffer
	cmd := exec.Command("sh", "-c", `trap 'echo got it; exit 0' TERM; echo ready >&2; while :; do sleep 0.01; done`)
	ready, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = &output
	start(t, j, cmd)
	if _, err := io.ReadFull(ready, make([]byte, len("ready\n"))); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || output.String() != "got it\n" {
		t.Errorf("the command printed %q, and ended with %v", output.String(), err)
	}

	killed := start(t, j, exec.Command("sh", "-c", "kill -USR1 $$"))
	err = killed.Wait()
	status, ok := killed.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || status.Signal() != syscall.SIGUSR1 {
		t.Errorf("a command that dies of a signal: %v", err)
	}
}

// TestSignalsOfAllKinds sends what stops a process, or what no guard has a use for,
// and what this process was started to ignore, which the command ignores then.
func TestSignalsOfAllKinds(t *testing.T) { bothWays(t, signalsOfAllKinds) }

func signalsOfAllKinds(t *testing.T) {
	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	j := create(t, "", nil)
	cmd := exec.Command("sh", "-c", `for s in TSTP CONT WINCH USR2 40 XCPU TERM; do trap "echo $s" $s; done
kill -HUP $$; echo ready; while :; do sleep 0.01; done`)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	start(t, j, cmd)
	lines := bufio.NewScanner(output)
	expect := func(want string) {
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("the command printed %q, want %q", lines.Text(), want)
		}
	}
	expect("ready")
	const realTime = 40
	for s, want := range map[syscall.Signal]string{
		syscall.SIGTSTP: "TSTP", syscall.SIGCONT: "CONT", syscall.SIGWINCH: "WINCH", syscall.SIGUSR2: "USR2",
		realTime: "40", syscall.SIGXCPU: "XCPU", syscall.SIGTERM: "TERM",
	} {
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		expect(want)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
}

// TestNoHangup has a process group without a shell, one of whose processes is
// stopped, as in a script of a build server: the end of a member must not hang it up.
func TestNoHangup(t *testing.T) { bothWays(t, noHangup) }

func noHangup(t *testing.T) {
	cmd := inRole(t, "besides stopped")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Run(); err != nil {
		t.Errorf("the process beside a stopped one: %v", err)
	}
}

func TestContextKillsTheTree(t *testing.T) { bothWays(t, contextKillsTheTree) }

func contextKillsTheTree(t *testing.T) {
	s := newSleeper()
	j := create(t, "", nil)
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "sh", "-c", "sleep "+string(s)+" & wait")
	start(t, j, cmd)
	s.expect(t, 1)
	cancel()
	_ = cmd.Wait()
	if err := j.Terminate(1); err != nil {
		t.Fatal(err)
	}
	if err := j.Wait(deadline(t)); err != nil {
		t.Fatal(err)
	}
	s.expect(t, 0)
}

func TestStartErrors(t *testing.T) { bothWays(t, startErrors) }

func startErrors(t *testing.T) {
	j := create(t, "", nil)
	if err := j.Start(exec.Command("/no/such/program")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a program that is not there: %v", err)
	}
	if err := j.Start(exec.Command("no-such-program")); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("a program that is not in the path: %v", err)
	}
	if err := j.Start(exec.Command("/dev/null")); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a file that is not a program: %v", err)
	}
	if err := j.Wait(deadline(t)); err != nil {
		t.Errorf("after starts that failed: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := j.Start(exec.Command("true")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a closed job: %v", err)
	}
}

func TestLeave(t *testing.T) { bothWays(t, leave) }

func leave(t *testing.T) {
	s := newSleeper()
	j := create(t, "", &job.Options{Leave: true})
	cmd := start(t, j, exec.Command("sleep", string(s)))
	s.expect(t, 1)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	s.expect(t, 1)
	if err := syscall.Kill(s.alive()[0], syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	err := cmd.Wait()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGTERM {
		t.Errorf("the command ended with %v", err)
	}
}

// TestForkBomb kills what multiplies, and what forks and exits for ever. Both stop
// by themselves.
func TestForkBomb(t *testing.T) { bothWays(t, forkBomb) }

func forkBomb(t *testing.T) {
	for what, script := range map[string]string{
		"200 processes": `for i in $(seq 200); do sleep 3 & done; wait`,
		"a chain":       `n=0; f() { n=$((n+1)); [ $n -gt 2000 ] || { f & }; }; f; sleep 3`,
		"a chain, hidden": `n=0; f() { n=$((n+1)); [ $n -gt 2000 ] || { f & }; }; setsid sh -c "$(cat <<'E'
n=0; f() { n=$((n+1)); [ $n -gt 2000 ] || { f & }; }; f
E
)"; sleep 3`,
	} {
		t.Run(what, func(t *testing.T) {
			j := create(t, "", nil)
			cmd := start(t, j, exec.Command("sh", "-c", script))
			time.Sleep(50 * time.Millisecond)
			if err := j.Terminate(1); err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			if err := j.Wait(deadline(t)); err != nil {
				t.Fatal(err)
			}
			t.Logf("figures: %s ended after %v", what, time.Since(begun))
			_ = cmd.Wait()
		})
	}
}

func TestRefusals(t *testing.T) {
	if _, err := job.Create("", &job.Options{Limits: job.Limits{ProcessMemory: 1 << 20}}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Create with a limit: %v", err)
	}
	event, err := waitable.CreateEvent(`Local\Kinds`, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer event.Close()
	if _, err := job.Create(`Local\Kinds`, nil); !errors.Is(err, object.ErrWrongKind) {
		t.Errorf("Create over an event: %v", err)
	}
	if _, err := job.Open(`Local\Kinds`, nil); !errors.Is(err, object.ErrWrongKind) {
		t.Errorf("Open of an event: %v", err)
	}
	create(t, `Local\Job`, nil)
	if _, err := waitable.OpenEvent(`Local\Job`); !errors.Is(err, object.ErrWrongKind) {
		t.Errorf("OpenEvent of a job: %v", err)
	}
	if _, err := job.Create(`Local\Job`, nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Create again: %v", err)
	}
}

// inRole returns a command that runs this test binary in a role.
func inRole(t testing.TB, role string, arguments ...string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, arguments...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role, "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	return cmd
}
