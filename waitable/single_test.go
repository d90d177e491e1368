package waitable_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/waitable"
)

func TestSingle(t *testing.T) {
	name := filemaptest.New(t).Name("program")
	p := startPeer(t)
	p.do("single", name, 0)
	_, err := waitable.Single(name, nil)
	expect(t, "Single", err, fs.ErrExist)
	if pid := strconv.Itoa(p.cmd.Process.Pid); runtime.GOOS == "linux" && !strings.Contains(err.Error(), pid) {
		t.Errorf("%v: does not name process %s", err, pid)
	}
	p.kill()
	var only *waitable.Instance
	eventually(t, "Single after the other's death", func() bool {
		only, err = waitable.Single(name, nil)
		return err == nil
	})
	succeed(t, "Close", only.Close())
}

// TestSingleCountsExistence: a process that has the mutex open, and never locked
// it, is a running instance.
func TestSingleCountsExistence(t *testing.T) {
	name := filemaptest.New(t).Name("program")
	m := mutex(t, name)
	_, err := waitable.Single(name, nil)
	expect(t, "Single beside a handle of this process", err, fs.ErrExist)
	succeed(t, "Close", m.Close())
	p := startPeer(t)
	p.do("mutex", name, 0)
	_, err = waitable.Single(name, nil)
	expect(t, "Single beside a process that has it open", err, fs.ErrExist)
	p.kill()
	only, err := waitable.Single(name, nil)
	for ; errors.Is(err, fs.ErrExist) && runtime.GOOS == "windows"; only, err = waitable.Single(name, nil) {
		settle() // the system takes the dead process's handles away
	}
	succeed(t, "Single after its death", err)
	succeed(t, "Close", only.Close())
}

// TestSingleOfMany starts many at once: one wins.
func TestSingleOfMany(t *testing.T) {
	const rounds, starters = 20, 8
	name := filemaptest.New(t).Name("program")
	for range rounds {
		instances := make(chan *waitable.Instance, starters)
		var all sync.WaitGroup
		for range starters {
			all.Go(func() {
				instance, err := waitable.Single(name, nil)
				if err == nil {
					instances <- instance
				} else if !errors.Is(err, fs.ErrExist) {
					t.Error("Single:", err)
				}
			})
		}
		all.Wait()
		if len(instances) != 1 {
			t.Fatalf("%d of %d are the only one", len(instances), starters)
		}
		succeed(t, "Close", (<-instances).Close())
	}
}

// TestStart has a peer start a command that shares its lock, and kills it.
func TestStart(t *testing.T) {
	name := filemaptest.New(t).Name("m")
	m := mutex(t, name)
	p := startPeer(t)
	p.do("mutex", name, 0)
	p.do("lock", name, 0)
	child := p.do("start", name, 0).N
	p.kill()
	hold, err := m.Lock(patient(t))
	succeed(t, "Lock", err)
	if !hold.Abandoned() {
		t.Error("the mutex is not abandoned")
	}
	eventually(t, "the end of the child", func() bool { return !isRunning(child) })
	unlock(t, hold)
}

// isRunning reports whether a process is there and not dead already.
func isRunning(pid int) bool {
	if runtime.GOOS == "linux" {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		return err == nil && !strings.Contains(string(stat), ") Z ")
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	defer p.Release()
	return true
}

// startChild starts a process that shares a mutex.
func startChild(m *waitable.Mutex) (pid int, err error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), peerVariable+"=1")
	stdin, err := cmd.StdinPipe() // open until this process dies
	if err != nil {
		return 0, err
	}
	if err := waitable.Start(m, cmd); err != nil {
		return 0, err
	}
	go func() {
		_ = cmd.Wait()
		stdin.Close()
	}()
	return cmd.Process.Pid, nil
}
