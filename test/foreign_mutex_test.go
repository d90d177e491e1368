package test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/waitable"
)

// documented returns the path of the program in docs/linux-format.md.
func documented(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/linux-format.md")
	succeed(t, "ReadFile", err)
	_, rest, _ := strings.Cut(string(text), "```python\n")
	program, _, found := strings.Cut(rest, "```\n")
	if !found {
		t.Fatal("the document has no program")
	}
	path := filepath.Join(t.TempDir(), "participant.py")
	succeed(t, "WriteFile", os.WriteFile(path, []byte(program), 0o600))
	return path
}

// foreignMutexes returns commands that lock the mutex of a name, by language.
func foreignMutexes(t *testing.T, base, path string) map[string][]string {
	return map[string][]string{
		"C":      {buildC(t, t.TempDir(), "mutex"), path},
		"Python": {pythonPath(t), documented(t), "lock", base},
	}
}

// startLocker starts a foreign process, and returns what it says once it has the
// lock, and functions that end it.
func startLocker(t *testing.T, command []string) (says chan string, unlock, kill func()) {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	succeed(t, "StdinPipe", err)
	stdout, err := cmd.StdoutPipe()
	succeed(t, "StdoutPipe", err)
	succeed(t, "Start", cmd.Start())
	says = make(chan string, 1)
	go func() {
		line := make([]byte, 100)
		n, _ := stdout.Read(line)
		says <- strings.TrimSpace(string(line[:n]))
	}()
	kill = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	t.Cleanup(kill)
	return says, func() {
		stdin.Close()
		succeed(t, "Wait", cmd.Wait())
	}, kill
}

// TestForeignMutexes creates, locks, and dies in other languages.
func TestForeignMutexes(t *testing.T) {
	linuxOnly(t, "the programs open files")
	ns := filemaptest.New(t)
	path, err := filemap.NativeName(ns.Name("M"))
	succeed(t, "NativeName", err)
	base := strings.TrimPrefix(ns.Name("M"), `Local\`)
	for language, command := range foreignMutexes(t, base, path) {
		t.Run(language, func(t *testing.T) { lockWith(t, ns.Name("M"), command) })
	}
}

func lockWith(t *testing.T, name string, command []string) {
	ctx, cancel := deadline()
	defer cancel()
	expectSays := func(says chan string, want string) {
		t.Helper()
		if got := <-says; got != want {
			t.Fatalf("it says %q, want %q", got, want)
		}
	}
	says, unlock, _ := startLocker(t, command) // it creates the mutex
	expectSays(says, "locked")
	m, err := waitable.OpenMutex(name)
	succeed(t, "OpenMutex", err)
	defer closed(t, m)
	short, stop := context.WithTimeout(ctx, 50*time.Millisecond)
	defer stop()
	_, err = m.Lock(short)
	expect(t, "Lock of what it has locked", err, context.DeadlineExceeded)
	unlock()
	lockAndUnlock(t, m, false)

	says, _, kill := startLocker(t, command) // it opens the mutex
	expectSays(says, "locked")
	kill()
	lockAndUnlock(t, m, true)
	lockAndUnlock(t, m, false)

	p := startPeer(t)
	_, err = p.do(request{Op: "lock", Name: name})
	succeed(t, "a peer locks", err)
	says, unlock, _ = startLocker(t, command) // it waits for the mutex
	p.kill()
	expectSays(says, "abandoned")
	unlock()
	lockAndUnlock(t, m, false)
}

func lockAndUnlock(t *testing.T, m *waitable.Mutex, abandoned bool) {
	t.Helper()
	ctx, cancel := deadline()
	defer cancel()
	hold, err := m.Lock(ctx)
	succeed(t, "Lock", err)
	if hold.Abandoned() != abandoned {
		t.Errorf("Abandoned() = %v, want %v", hold.Abandoned(), abandoned)
	}
	succeed(t, "Unlock", hold.Unlock())
}

// TestDocumentedMappings creates and opens a mapping with the program of the
// document.
func TestDocumentedMappings(t *testing.T) {
	linuxOnly(t, "the program opens files")
	ns := filemaptest.New(t)
	program, path := documented(t), pythonPath(t)
	base := func(name string) string { return strings.TrimPrefix(ns.Name(name), `Local\`) }
	m := created(t, ns.Name("Go"), 4096, nil)
	put(t, viewed(t, m, 0, 0), 0, "from Go")
	got, err := run(exec.Command(path, program, "map", base("Go")))
	if err != nil || !strings.HasPrefix(got, `b'from Go\x00`) {
		t.Errorf("Python sees %q, error %v", got, err)
	}
	succeed(t, "Check", m.Check())
	says, unlock, _ := startLocker(t, []string{path, program, "create", base("Python")})
	if got := <-says; got != "created" {
		t.Fatalf("Python says %q", got)
	}
	made := opened(t, ns.Name("Python"), filemap.ReadWrite)
	expectText(t, "what Python wrote", viewed(t, made, 0, 0), 0, "from Python")
	unlock()
	closed(t, opened(t, ns.Name("Python"), filemap.ReadOnly)) // alive by the handle here
	closed(t, made)
	expectNone(t, "Open of what nobody holds", ns.Name("Python"), os.ErrNotExist)
}
