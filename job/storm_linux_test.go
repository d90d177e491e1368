package job_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/job"
)

// deepTree starts sleepers on four levels: each level is a shell with four sleepers,
// which the level above starts in a way of its own.
func deepTree(s sleeper) *exec.Cmd {
	return exec.Command("sh", "-c", deepScript, deepScript, "4", string(s))
}

const (
	deepSleepers = 16
	deepScript   = `
( (sleep $2 &) & ); setsid sleep $2 & env -i sleep $2 <&- >&- 2>&- &
case $1 in
4) sh -c "$0" "$0" 3 $2 & ;;
3) setsid sh -c "$0" "$0" 2 $2 & ;;
2) ( (env -i sh -c "$0" "$0" 1 $2 <&- >&- 2>&- &) & ) ;;
esac
sleep $2`
)

// holdInStorm is the role of the process that starts the tree, and a child that is
// not a member. Its arguments are the job's name and both sleepers.
func holdInStorm(arguments []string) error {
	beside := exec.Command("sleep", arguments[2])
	if err := beside.Start(); err != nil {
		return err
	}
	// Start can return before the process has its name, by which killOne spares it.
	for !slices.Contains(sleeper(arguments[2]).alive(), beside.Process.Pid) {
		time.Sleep(time.Millisecond)
	}
	fmt.Println("begins")
	j, err := job.Create(arguments[0], nil)
	if err != nil {
		return err
	}
	if err := j.Start(deepTree(sleeper(arguments[1]))); err != nil {
		return err
	}
	fmt.Println("started")
	return untilKilled()
}

// openInStorm is the role of a second holder.
func openInStorm(arguments []string) error {
	j, err := job.Await(context.Background(), arguments[0], nil)
	if err != nil {
		return err
	}
	defer j.Close()
	fmt.Println("opened")
	return untilKilled()
}

// untilKilled returns at the latest when the test's process has ended.
func untilKilled() error {
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

func init() {
	roles["hold in storm"], roles["open in storm"] = holdInStorm, openInStorm
}

// party is a holder in the storm.
type party struct {
	cmd    *exec.Cmd
	input  io.Writer
	output *bufio.Scanner
}

func startParty(t testing.TB, role string, arguments ...string) *party {
	t.Helper()
	p := &party{cmd: inRole(t, role, arguments...)}
	output, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if p.input, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.output = bufio.NewScanner(output)
	return p
}

// await waits until the process says something.
func (p *party) await(t testing.TB, want string) {
	t.Helper()
	for p.output.Scan() {
		if p.output.Text() == want {
			return
		}
	}
	t.Fatalf("a holder has ended before it said %q", want)
}

// kill returns when the process and its handles are gone.
func (p *party) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// storm is what the rounds have seen.
type storm struct {
	rounds  int
	late    int           // rounds in which there were members for more than a second
	worst   time.Duration // until there were none
	killed  map[string]int
	members []sleeper // of all rounds
}

// The moments at which the killing begins.
const (
	starting = iota // while the holder starts the tree
	growing         // while the tree grows
	grown
	moments
)

// TestStorm kills holders, guards and members of trees of processes at all times:
// nothing of a tree lives on, and everything beside it does.
func TestStorm(t *testing.T) {
	t.Run("this user", func(t *testing.T) { runStorm(t) })
	t.Run("another user", func(t *testing.T) {
		if os.Getuid() != 0 {
			t.Skip("needs root")
		}
		setpriv, err := exec.LookPath("setpriv")
		if err != nil {
			t.Skip("needs setpriv")
		}
		stormAs(t, setpriv, "1000")
	})
}

// stormAs runs the storm in a process of another user.
func stormAs(t *testing.T, setpriv, user string) {
	program := publicProgram(t)
	cmd := exec.Command(setpriv, "--reuid="+user, "--regid="+user, "--clear-groups",
		program, "-test.run=^TestStorm$/^this_user$", "-test.v", "-test.timeout="+timeLeft(t).String())
	if os.Getenv("FILEMAP_TEST_LONG") == "" {
		cmd.Args = append(cmd.Args, "-test.short")
	}
	cmd.Dir = filepath.Dir(program)
	output, err := cmd.CombinedOutput()
	t.Logf("as user %s: %v\n%s", user, err, output)
	if err != nil {
		t.Fail()
	}
}

// publicProgram returns a copy of this test binary that every user may run.
func publicProgram(t *testing.T) string {
	t.Helper()
	program := filepath.Join(publicDir(t), "program")
	binary, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = os.WriteFile(program, binary, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// publicDir returns a directory that every user may enter. Those of t.TempDir are
// not.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "job-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// timeLeft returns how long a test may still run.
func timeLeft(t *testing.T) time.Duration {
	if deadline, ok := t.Deadline(); ok {
		return time.Until(deadline)
	}
	return 2 * time.Hour
}

func runStorm(t *testing.T) {
	rounds, end := 40, time.Now().Add(timeLeft(t)/2)
	switch {
	case testing.Short():
		rounds = 10
	case os.Getenv("FILEMAP_TEST_LONG") == "1":
		rounds = 10_000
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	all := storm{killed: make(map[string]int)}
	for ; all.rounds < rounds && time.Now().Before(end) && !t.Failed(); all.rounds++ {
		all.round(t, random)
	}
	for _, members := range all.members { // none has started since
		if left := members.remaining(); len(left) > 0 {
			t.Errorf("at the end, processes %v of a job are alive", left)
		}
	}
	if _, err := inspect.Clean(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(os.Getenv("FILEMAP_DIR")); err != nil || len(left) > 0 {
		t.Errorf("left in FILEMAP_DIR: %v, %v", left, err)
	}
	t.Logf("figures: %d of %d rounds, killed %v; no member is left after %v, after more than 1 s in %d rounds",
		all.rounds, rounds, all.killed, all.worst.Round(time.Millisecond), all.late)
}

func (all *storm) round(t *testing.T, random *rand.Rand) {
	name := fmt.Sprintf(`Local\Storm-%d`, all.rounds)
	members, beside := newSleeper(), newSleeper()
	all.members = append(all.members, members)
	control := create(t, "", nil)
	start(t, control, tree(beside))
	first := startParty(t, "hold in storm", name, string(members), string(beside))
	second := startParty(t, "open in storm", name)
	defer killSleepers(beside) // the child of the holder
	defer control.Close()

	first.await(t, "begins")
	moment := random.IntN(moments)
	if moment >= growing {
		first.await(t, "started")
		second.await(t, "opened")
	}
	if moment == grown {
		members.expect(t, deepSleepers)
	} else {
		time.Sleep(time.Duration(random.IntN(20)) * time.Millisecond)
	}

	victim := all.killOne(random, first, second)
	defer func() {
		if t.Failed() {
			t.Logf("round %d: killed at moment %d, %s first", all.rounds, moment, victim)
		}
	}()
	all.killed[victim]++
	time.Sleep(time.Duration(random.IntN(5)) * time.Millisecond)
	holders := []*party{first, second}
	if random.IntN(2) == 0 {
		slices.Reverse(holders)
	}
	for _, holder := range holders {
		holder.kill()
	}

	if err := createFree(name, moment == starting); err != nil {
		t.Errorf("the name of the killed job (killed at moment %d, %s first): %v", moment, victim, err)
	}
	all.expectNone(t, members, victim)
	beside.expect(t, treeSleepers+1)
}

// createFree creates a job of a name that is free: at once, unless a holder may have
// been killed while it started the guards. The process that it forked has the handle
// until it executes the guard.
func createFree(name string, forked bool) error {
	for begun := time.Now(); ; time.Sleep(time.Millisecond) {
		j, err := job.Create(name, nil)
		if err == nil {
			return j.Close()
		}
		if !forked || !errors.Is(err, fs.ErrExist) || time.Since(begun) > 10*time.Second {
			return err
		}
	}
}

// killOne kills a random party of the job, and says which.
func (all *storm) killOne(random *rand.Rand, first, second *party) string {
	var guards, others []int // from above to below
	below := []int{first.cmd.Process.Pid}
	for level := 0; len(below) > 0; level++ {
		var next []int
		for _, pid := range below {
			next = append(next, sys.Children(pid)...)
		}
		below = slices.DeleteFunc(next, func(pid int) bool {
			name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
			return level == 0 && string(name) == "sleep\n" // the child that is not a member
		})
		for _, pid := range below {
			arguments, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
			if isGuard(string(arguments)) {
				guards = append(guards, pid)
			} else {
				others = append(others, pid)
			}
		}
	}
	kill := func(pid int) { _ = syscall.Kill(pid, syscall.SIGKILL) } // it may have ended
	switch random.IntN(7) {
	case 0:
		second.kill()
		return "second holder"
	case 1:
		if len(guards) > 0 {
			kill(guards[0])
			return "outer guard"
		}
	case 2:
		if len(guards) > 1 {
			kill(guards[1])
			return "inner guard"
		}
	case 3:
		if len(others) > 0 {
			kill(others[0])
			return "command"
		}
	case 4:
		if len(others) > 0 {
			kill(others[random.IntN(len(others))])
			return "member"
		}
	case 5:
		if len(guards) > 1 {
			_ = syscall.Kill(guards[1], syscall.SIGSTOP)
			return "nobody, but the inner guard stopped"
		}
	}
	first.kill()
	return "holder"
}

// expectNone waits until there are no members and no guards.
func (all *storm) expectNone(t *testing.T, members sleeper, victim string) {
	t.Helper()
	begun := time.Now()
	for left := members.remaining(); len(left) > 0; left = members.remaining() {
		if time.Since(begun) > 10*time.Second {
			t.Fatalf("round %d, %s killed first: processes %v are alive", all.rounds, victim, left)
		}
		time.Sleep(5 * time.Millisecond)
	}
	took := time.Since(begun)
	if took > time.Second {
		all.late++
		t.Logf("round %d: %v, %s killed first", all.rounds, took, victim)
	}
	all.worst = max(all.worst, took)
}

// remaining returns the processes that have the length of sleep among their
// arguments: sleepers, their shells, guards and holders.
func (s sleeper) remaining() (all []int) {
	for pid, arguments := range commandLines() {
		if strings.Contains(arguments, string(s)+"\x00") {
			all = append(all, pid)
		}
	}
	return all
}

func killSleepers(s sleeper) {
	for _, pid := range s.alive() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}
