package test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/waitable"
)

// Processes that are stopped, by Ctrl-Z, a debugger or the freezer, where others
// depend on them, and processes that others stop while they wait.

func init() {
	roles["claim"] = func(arguments []string) error { return stopWith(arguments[0], claimFile) }
	roles["clear"] = func(arguments []string) error { return stopWith(arguments[0], lockFile) }
	roles["late"] = waitStopped
}

// stopWith stops this process while it has something, which the returned
// function of have gives up.
func stopWith(path string, have func(*os.File) (end func() error, err error)) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	end, err := have(file)
	if err != nil {
		return err
	}
	fmt.Println("stopped")
	// The signal is this thread's own: one to the process may reach another thread,
	// while this one goes on.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Tgkill(unix.Getpid(), unix.Gettid(), unix.SIGSTOP); err != nil {
		return err
	}
	return end()
}

// claimFile claims an object as docs/linux-format.md says.
func claimFile(file *os.File) (end func() error, err error) {
	const openDescriptionLock, stateAt, tokenByte, token = 37, 0x40, 1 << 61, 12345
	lock := syscall.Flock_t{Type: syscall.F_WRLCK, Start: tokenByte + token, Len: 1}
	if err := syscall.FcntlFlock(file.Fd(), openDescriptionLock, &lock); err != nil {
		return nil, err
	}
	set := func(token uint32) error {
		_, err := file.WriteAt(binary.LittleEndian.AppendUint32(nil, token), stateAt+4)
		return err
	}
	return func() error { return set(0) }, set(token)
}

// lockFile locks a file as a process does that removes a dead object.
func lockFile(file *os.File) (end func() error, err error) {
	return file.Close, syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// startStopped starts a process that stops itself while it has something of the
// file that stands for a name.
func startStopped(t *testing.T, role, base string) *exec.Cmd {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(os.Getenv("FILEMAP_DIR"), "filemap.*."+base+"*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the files of %s are %v, %v", base, files, err)
	}
	cmd := inRole(role, thisBinary(t), files[0])
	stdout, err := cmd.StdoutPipe()
	succeed(t, "StdoutPipe", err)
	succeed(t, "Start", cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		t.Fatalf("the process that is to stop: %v", err)
	}
	for state := ""; !strings.HasPrefix(state, "T"); time.Sleep(time.Millisecond) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", cmd.Process.Pid))
		succeed(t, "ReadFile", err)
		_, state, _ = strings.Cut(string(stat), ") ")
	}
	return cmd
}

// TestClaimerStopped has processes stop while each has claimed an object. Calls
// with a context wait for as long as that lasts; the errors of others name the process in the way.
func TestClaimerStopped(t *testing.T) {
	ns := filemaptest.New(t)
	e, err := waitable.CreateEvent(ns.Name("E"), &waitable.EventOptions{Signaled: true})
	succeed(t, "CreateEvent", err)
	closeLater(t, e)
	s, err := waitable.CreateSemaphore(ns.Name("S"), 100, 100, &waitable.SemaphoreOptions{Tracked: true})
	succeed(t, "CreateSemaphore", err)
	closeLater(t, s)
	stopped := startStopped(t, "claim", "E")
	other := startStopped(t, "claim", "S")

	patient, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	failures := make(chan error, 100)
	for i := range cap(failures) {
		go func() {
			if i%2 == 0 {
				failures <- s.Acquire(patient)
				return
			}
			_, err := waitable.All(patient, s, e)
			failures <- errors.Join(err, e.Set())
		}()
	}
	begun := time.Now()
	released := make(chan error, 1)
	go func() {
		_, err := s.Release(1)
		released <- err
	}()
	expectInTheWay(t, "Reset", e.Reset(), stopped, os.ErrDeadlineExceeded)
	expectInTheWay(t, "Release", take(t, "Release", released), other, os.ErrDeadlineExceeded)
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	expectInTheWay(t, "Wait", e.Wait(short), stopped, context.DeadlineExceeded)
	_, err = waitable.All(short, s, e)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("All = %v, want the context's cause", err)
	}
	time.Sleep(time.Until(begun.Add(3 * time.Second)))
	for _, cmd := range []*exec.Cmd{stopped, other} {
		succeed(t, "SIGCONT", cmd.Process.Signal(syscall.SIGCONT))
	}
	early := 0
	for range cap(failures) {
		if err := take(t, "a wait", failures); err != nil {
			early++
			t.Log(err)
		}
	}
	t.Logf("figures: of %d waits for what stopped processes have claimed, %d failed early", cap(failures), early)
	if early > 0 {
		t.Fail()
	}
}

// expectInTheWay wants an error to have a cause and to name a process.
func expectInTheWay(t *testing.T, what string, err error, cmd *exec.Cmd, cause error) {
	t.Helper()
	if !errors.Is(err, cause) || !strings.Contains(err.Error(), fmt.Sprintf("pid %d, ", cmd.Process.Pid)) {
		t.Errorf("%s = %v, want %v, and process %d named", what, err, cause, cmd.Process.Pid)
	}
}

// TestRemoverStopped has a process stop while it removes a dead object.
func TestRemoverStopped(t *testing.T) {
	ns := filemaptest.New(t)
	p := startPeer(t)
	succeed(t, "Create", p.create(ns.Name("Dead"), 100, nil))
	p.kill()
	stopped := startStopped(t, "clear", "Dead")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	await := startAwait(ctx, ns.Name("Dead"))
	queue := make(chan error, 1)
	go func() {
		q, err := channel.AwaitQueue(ctx, ns.Name("Dead"), nil)
		if err == nil {
			err = q.Close()
		}
		queue <- err
	}()
	created := make(chan error, 1)
	go func() {
		_, err := waitable.CreateEvent(ns.Name("Dead"), nil)
		created <- err
	}()
	_, err := filemap.Open(ns.Name("Dead"), nil)
	expectInTheWay(t, "Open", err, stopped, os.ErrDeadlineExceeded)
	expectInTheWay(t, "CreateEvent", take(t, "CreateEvent", created), stopped, os.ErrDeadlineExceeded)
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = filemap.Await(short, ns.Name("Dead"), nil)
	expectInTheWay(t, "Await", err, stopped, context.DeadlineExceeded)
	_, err = filemap.Create(ns.Name("Dead"), 100, &filemap.CreateOptions{Context: short})
	expectInTheWay(t, "Create", err, stopped, context.DeadlineExceeded)

	time.Sleep(time.Second)
	succeed(t, "SIGCONT", stopped.Process.Signal(syscall.SIGCONT))
	q, err := channel.CreateQueue(ns.Name("Dead"), nil)
	succeed(t, "CreateQueue", err)
	closeLater(t, q)
	got := take(t, "Await", await)
	succeed(t, "Await", got.err)
	closeLater(t, got.mapping)
	succeed(t, "AwaitQueue", take(t, "AwaitQueue", queue))
}

// lateWaits is how many waits a process has that is stopped over their deadline.
const lateWaits = 100

// TestStoppedOverDeadline stops a process over the deadline of its waits, and
// signals before that.
func TestStoppedOverDeadline(t *testing.T) {
	const deadline = 2 * time.Second
	for {
		ns := filemaptest.New(t)
		events := make([]*waitable.Event, lateWaits)
		for i := range events {
			e, err := waitable.CreateEvent(ns.Name(fmt.Sprint("E", i)), nil)
			succeed(t, "CreateEvent", err)
			closeLater(t, e)
			events[i] = e
		}
		q, err := channel.CreateQueue(ns.Name("Q"), nil)
		succeed(t, "CreateQueue", err)
		closeLater(t, q)
		cmd := inRole("late", thisBinary(t), ns.Name("Q"), ns.Name("E"), deadline.String())
		stdout, err := cmd.StdoutPipe()
		succeed(t, "StdoutPipe", err)
		succeed(t, "Start", cmd.Start())
		out := bufio.NewReader(stdout)
		line, err := out.ReadString('\n')
		succeed(t, "the start of the waits", err)
		end, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(line))
		succeed(t, "the deadline", err)
		time.Sleep(deadline / 10) // for the waits to park, as far as that matters
		succeed(t, "SIGSTOP", cmd.Process.Signal(syscall.SIGSTOP))
		for _, e := range events {
			succeed(t, "Set", e.Set())
		}
		succeed(t, "Send", q.TrySend([]byte("a message")))
		inTime := time.Now().Before(end)
		time.Sleep(time.Until(end.Add(deadline / 10)))
		succeed(t, "SIGCONT", cmd.Process.Signal(syscall.SIGCONT))
		missed, err := io.ReadAll(out)
		succeed(t, "ReadAll", err)
		succeed(t, "the process", cmd.Wait())
		if inTime { // otherwise this machine was too busy to ask anything
			t.Logf("figures: a process stopped over its deadline missed %d of %d signals",
				strings.Count(string(missed), "\n"), lateWaits+1)
			if len(missed) > 0 {
				t.Errorf("%s", missed)
			}
			return
		}
	}
}

// waitStopped has many waits with one deadline, and says which fail.
func waitStopped(arguments []string) error {
	deadline, err := time.ParseDuration(arguments[2])
	if err != nil {
		return err
	}
	q, err := channel.OpenQueue(arguments[0], nil)
	if err != nil {
		return err
	}
	waits := []func(context.Context) error{func(ctx context.Context) error {
		_, err := q.Receive(ctx, nil)
		return err
	}}
	for i := range lateWaits {
		e, err := waitable.OpenEvent(strings.Replace(arguments[1], "E", fmt.Sprint("E", i), 1))
		if err != nil {
			return err
		}
		waits = append(waits, e.Wait)
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	end, _ := ctx.Deadline()
	fmt.Println(end.Format(time.RFC3339Nano))
	var all sync.WaitGroup
	for _, wait := range waits {
		all.Go(func() {
			if err := wait(ctx); err != nil {
				fmt.Println(err)
			}
		})
	}
	all.Wait()
	return nil
}
