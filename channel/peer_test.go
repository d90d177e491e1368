package channel_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
)

// What other processes do: they are this program again, in a role.
const (
	roleVariable = "FILEMAP_CHANNEL_ROLE"
	nameVariable = "FILEMAP_CHANNEL_NAME"
)

var roles = map[string]func(name string) error{}

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := roles[role](os.Getenv(nameVariable)); err != nil {
		fmt.Fprintln(os.Stderr, role+":", err)
		os.Exit(1)
	}
}

// child is a process in a role.
type child struct {
	cmd    *exec.Cmd
	output *bufio.Scanner
	ended  sync.Once
}

// start starts a process in a role, which is killed at the end of the test.
func start(t *testing.T, role, name string) *child {
	t.Helper()
	c, err := begin(role, name)
	for range 2 { // Wine now and then cannot, which says nothing about ours
		if runtime.GOOS == "windows" && errors.Is(err, errorInternal) {
			c, err = begin(role, name)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.kill)
	return c
}

const errorInternal = syscall.Errno(1359) // of Windows

func begin(role, name string) (*child, error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+role, nameVariable+"="+name)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	return &child{cmd: cmd, output: bufio.NewScanner(stdout)}, err
}

func (c *child) kill() {
	c.ended.Do(func() {
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
	})
}

// await waits for the process to say something.
func (c *child) await(t *testing.T, want string) {
	t.Helper()
	for c.output.Scan() {
		if strings.TrimSpace(c.output.Text()) == want {
			return
		}
	}
	t.Fatalf("it ended without %q", want)
}

func say(text string) { fmt.Println(text) }

// watchdog ends the test, with all stacks, if it takes too long.
func watchdog(t *testing.T) {
	timer := time.AfterFunc(2*time.Minute, func() {
		debug.SetTraceback("all")
		panic("the test hangs")
	})
	t.Cleanup(func() { timer.Stop() })
}

func succeed(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// queue makes a queue of a new name, and opens it again.
func queue(t *testing.T, opts *channel.QueueOptions) (one, other *channel.Queue) {
	t.Helper()
	name := filemaptest.New(t).Name("q")
	one, err := channel.CreateQueue(name, opts)
	succeed(t, "CreateQueue", err)
	t.Cleanup(func() { _ = one.Close() })
	return one, openQueue(t, name, opts)
}

func openQueue(t *testing.T, name string, opts *channel.QueueOptions) *channel.Queue {
	t.Helper()
	q, err := channel.OpenQueue(name, opts)
	succeed(t, "OpenQueue", err)
	t.Cleanup(func() { _ = q.Close() })
	return q
}
