package kernel

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/filemap-go/filemap/object"
)

// roleVariable gives a process of this test binary a role in the tests of jobs: a
// word, and its arguments.
const roleVariable = "FILEMAP_TEST_ROLE"

// roles print a line, or none, and return their exit code, or an error that is
// printed. Those that idle do it until their input ends.
var roles = map[string]func(arguments []string) (int, error){
	"idle":       func([]string) (int, error) { return 0, idle() },
	"parent":     playParent,
	"orphan":     playOrphan,
	"keeper":     playKeeper,
	"terminator": playTerminator,
	"holder":     playHolder,
	"leaver":     playLeaver,
	"rejected":   playRejected,
	"exit": func(arguments []string) (int, error) {
		return strconv.Atoi(arguments[0])
	},
}

func play(role []string) int {
	code, err := roles[role[0]](role[1:])
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return code
}

func idle() error {
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// inRole returns a command that plays a role, with the input of this process.
func inRole(role ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+strings.Join(role, " "))
	cmd.Stdin = os.Stdin
	return cmd
}

// playParent starts a child, prints its number, and waits for it.
func playParent([]string) (int, error) {
	child := inRole("idle")
	if err := child.Start(); err != nil {
		return 0, err
	}
	fmt.Println(child.Process.Pid)
	return 0, child.Wait()
}

// playOrphan starts a child in its first instant, prints its number, and leaves it.
func playOrphan([]string) (int, error) {
	child := inRole("idle")
	if err := child.Start(); err != nil {
		return 0, err
	}
	fmt.Println(child.Process.Pid)
	return 0, nil
}

// playKeeper keeps a job open.
func playKeeper(arguments []string) (int, error) {
	if _, err := OpenJob(object.Name{Base: arguments[0]}, ""); err != nil {
		return 0, err
	}
	fmt.Println("ready")
	return 0, idle()
}

// playTerminator ends a job's members with an exit code.
func playTerminator(arguments []string) (int, error) {
	j, err := OpenJob(object.Name{Base: arguments[0]}, "")
	if err != nil {
		return 0, err
	}
	code, err := strconv.Atoi(arguments[1])
	if err != nil {
		return 0, err
	}
	return 0, j.Terminate(code)
}

// playHolder has the only handle of a job, and prints its member's number.
func playHolder(arguments []string) (int, error) {
	j, err := CreateJob(JobSpec{Name: object.Name{Base: arguments[0]}})
	if err != nil {
		return 0, err
	}
	member := inRole("idle")
	if err := j.Start(member); err != nil {
		return 0, err
	}
	fmt.Println(member.Process.Pid)
	return 0, idle()
}

// playLeaver starts a child that is to leave this process's job, and prints whether
// it could.
func playLeaver([]string) (int, error) {
	const createBreakawayFromJob = 0x01000000
	child := inRole("idle")
	child.SysProcAttr = &syscall.SysProcAttr{CreationFlags: createBreakawayFromJob}
	if err := child.Start(); err != nil {
		return 0, err
	}
	fmt.Println("left")
	return 0, child.Wait()
}

// playRejected starts a command in a job that does not take it, and prints
// "rejected" if nothing is left of that.
func playRejected(arguments []string) (int, error) {
	j, err := OpenJob(object.Name{Base: arguments[0]}, "")
	if err != nil {
		return 0, err
	}
	cmd := inRole("idle")
	err = j.Start(cmd)
	switch {
	case !errors.Is(err, object.ErrPermission):
		return 0, fmt.Errorf("Start = %v, want %v", err, object.ErrPermission)
	case cmd.ProcessState == nil:
		return 0, errors.New("the process was left")
	case cmd.SysProcAttr != nil:
		return 0, errors.New("SysProcAttr is changed")
	}
	fmt.Println("rejected")
	return 0, nil
}

// player is a process in a role.
type player struct {
	t     *testing.T
	cmd   *exec.Cmd
	input io.Closer
	lines *bufio.Reader
}

// newPlayer returns a process that has not been started.
func newPlayer(t *testing.T, role ...string) *player {
	t.Helper()
	cmd := inRole(role...)
	cmd.Stdin = nil
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	return &player{t, cmd, input, bufio.NewReader(output)}
}

// start starts a process with cmd.Start, or as a member of a job, until the test
// ends.
func start(t *testing.T, j *Job, role ...string) *player {
	t.Helper()
	p := newPlayer(t, role...)
	p.start(j)
	return p
}

func (p *player) start(j *Job) {
	p.t.Helper()
	begin := p.cmd.Start
	if j != nil {
		begin = func() error { return j.Start(p.cmd) }
	}
	if err := begin(); err != nil {
		p.t.Fatal(err)
	}
	p.atEnd()
}

// atEnd has the process end with the test.
func (p *player) atEnd() {
	p.t.Cleanup(func() {
		p.input.Close()
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	})
}

func (p *player) pid() int { return p.cmd.Process.Pid }

// says returns the line that the process prints.
func (p *player) says() string {
	p.t.Helper()
	line, err := p.lines.ReadString('\n')
	if err != nil {
		p.t.Fatalf("%q says %q, %v", p.cmd.Env[len(p.cmd.Env)-1], line, err)
	}
	return strings.TrimSpace(line)
}

// number returns the line that the process prints, a number.
func (p *player) number() int {
	p.t.Helper()
	line := p.says()
	n, err := strconv.Atoi(line)
	if err != nil {
		p.t.Fatal(line)
	}
	return n
}

// end ends a process that idles.
func (p *player) end() {
	p.t.Helper()
	p.input.Close()
	p.ends(0)
}

// ends waits for the end of the process and checks its exit code.
func (p *player) ends(code int) {
	p.t.Helper()
	late := time.AfterFunc(time.Minute, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	_ = p.cmd.Wait()
	if got := p.cmd.ProcessState.ExitCode(); got != code {
		p.t.Errorf("exit code %d, want %d", got, code)
	}
}

// soon is a context for what takes a moment.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}
