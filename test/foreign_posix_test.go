package test

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// sharedDir is where shm_open(3) finds its objects, so the tests with programs
// that use it can't have a directory of their own.
const sharedDir = "/dev/shm"

// sharedName gives the test the namespace of the machine and returns a name
// there. The test fails if it leaves a file whose name holds tag.
func sharedName(t *testing.T) (tag string) {
	t.Helper()
	linuxOnly(t, "it has no shm_open")
	if _, err := os.Stat(sharedDir); err != nil {
		t.Skipf("needs %s", sharedDir)
	}
	t.Setenv("FILEMAP_DIR", sharedDir)
	tag = "filemaptest-" + rand.Text()
	t.Cleanup(func() {
		left, err := filepath.Glob(filepath.Join(sharedDir, "*"+tag+"*"))
		if err != nil || len(left) > 0 {
			t.Errorf("left in %s: %v, error %v", sharedDir, left, err)
		}
	})
	return tag
}

// shmProgram builds the C program and returns a function that runs it.
func shmProgram(t *testing.T) func(arguments ...string) (string, error) {
	t.Helper()
	program := buildC(t, t.TempDir(), "shm")
	return func(arguments ...string) (string, error) {
		return run(exec.Command(program, arguments...))
	}
}

// buildC builds a program of foreign/c in a directory and returns its path.
func buildC(t *testing.T, dir, name string) string {
	t.Helper()
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("needs gcc")
	}
	program := filepath.Join(dir, name)
	build := exec.Command(gcc, "-Wall", "-Wextra", "-Werror", "-o", program, "foreign/c/"+name+".c", "-lrt")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, output)
	}
	return program
}

// python returns a function that runs the Python program.
func python(t *testing.T) func(arguments ...string) (string, error) {
	t.Helper()
	path := pythonPath(t)
	return func(arguments ...string) (string, error) {
		return run(exec.Command(path, append([]string{"foreign/python/shm.py"}, arguments...)...))
	}
}

func pythonPath(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("needs python3")
	}
	return path
}

// run returns what a command printed. It waits for the end of all processes
// that share its standard error, as Python's resource tracker does.
func run(cmd *exec.Cmd) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", errors.New(strings.TrimSpace(err.Error() + ": " + stderr.String()))
	}
	return stdout.String(), nil
}

// posixName returns what shm_open opens to meet the object of a name.
func posixName(t *testing.T, name string) string {
	t.Helper()
	path, err := filemap.NativeName(name)
	succeed(t, "NativeName", err)
	return "/" + filepath.Base(path)
}

func TestCProgramSharesMapping(t *testing.T) {
	tag, shm := sharedName(t), shmProgram(t)
	for _, base := range []string{
		`Local\%s b%%`, `Global\%s.ü$`, "/%s", "%s" + strings.Repeat("long", 300),
	} {
		name := fmt.Sprintf(base, tag)
		m := created(t, name, 10_000, nil)
		v := viewed(t, m, 0, 0)
		put(t, v, 9_990, "from Go")
		posix := posixName(t, name)
		if got, err := shm("size", posix); err != nil || got != "10000" {
			t.Errorf("%.40s: C sees %s bytes, error %v, want 10000", name, got, err)
		}
		if got, err := shm("read", posix, "9990", "7"); err != nil || got != "from Go" {
			t.Errorf("%.40s: C reads %q, error %v", name, got, err)
		}
		_, err := shm("write", posix, "3", "from C")
		succeed(t, "C writes", err)
		expectText(t, "what C wrote", v, 3, "from C")
		closed(t, m)
		if m.Name()[0] == '/' {
			succeed(t, "Unlink", filemap.Unlink(name))
		}
		if _, err := shm("size", posix); err == nil {
			t.Errorf("%.40s: C can open it after it has ended", name)
		}
	}
}

func TestMappingOfCProgram(t *testing.T) {
	tag, shm := sharedName(t), shmProgram(t)
	name := "/" + tag
	_, err := shm("create", name, "5000")
	succeed(t, "C creates", err)
	_, err = filemap.Create(name, 100, nil)
	expect(t, "Create of what C made", err, fs.ErrExist)

	m := opened(t, name, filemap.ReadWrite)
	if m.Size() != 5000 {
		t.Errorf("Size() = %d, want 5000", m.Size())
	}
	v := viewed(t, m, 0, 0)
	_, err = shm("write", name, "4990", "from C")
	succeed(t, "C writes", err)
	expectText(t, "what C wrote", v, 4990, "from C")
	put(t, v, 0, "from Go")
	if got, err := shm("read", name, "0", "7"); err != nil || got != "from Go" {
		t.Errorf("C reads %q, error %v", got, err)
	}

	closed(t, v, m)
	closed(t, opened(t, name, filemap.ReadOnly)) // it has outlived its last handle
	_, err = shm("unlink", name)
	succeed(t, "C unlinks", err)
	expectNone(t, "Open after C has unlinked it", name, fs.ErrNotExist)
	expect(t, "Unlink", filemap.Unlink(name), fs.ErrNotExist)
}

func TestPythonSharesMapping(t *testing.T) {
	tag, py := sharedName(t), python(t)
	m := created(t, `Local\`+tag, 10_000, nil)
	v := viewed(t, m, 0, 0)
	path, err := filemap.NativeName(m.Name())
	succeed(t, "NativeName", err)
	put(t, v, 9_000, "from Go")
	got, err := py("map", path, "9000", "from Python")
	if err != nil || got != "from Go\x00\x00\x00\x00" {
		t.Errorf("Python reads %q, error %v", got, err)
	}
	expectText(t, "what Python wrote", v, 9_000, "from Python")
}

// TestPOSIXNamesAreOfTheMachine has a namespace of its own and meets a C program
// all the same.
func TestPOSIXNamesAreOfTheMachine(t *testing.T) {
	tag, shm := sharedName(t), shmProgram(t)
	t.Setenv("FILEMAP_DIR", t.TempDir())
	name := "/" + tag
	awaited := make(chan error, 1)
	go func() {
		m, err := filemap.Await(t.Context(), name, nil)
		if err == nil {
			err = m.Close()
		}
		awaited <- err
	}()
	_, err := shm("create", name, "5000")
	succeed(t, "C creates", err)
	succeed(t, "Await", take(t, "Await", awaited))
	_, err = waitable.Any(t.Context(), waitable.Name(name))
	succeed(t, "Any", err)
	m := opened(t, name, filemap.ReadWrite)
	put(t, viewed(t, m, 0, 0), 0, "from Go")
	if got, err := shm("read", name, "0", "7"); err != nil || got != "from Go" {
		t.Errorf("C reads %q, error %v", got, err)
	}
	found, err := inspect.Find(t.Context(), name)
	if path := filepath.Join(sharedDir, tag); err != nil || found.Native != path {
		t.Errorf("Find: %q, error %v, want %q", found.Native, err, path)
	}
	succeed(t, "Unlink", filemap.Unlink(name))
	if _, err := shm("size", name); err == nil {
		t.Error("C can open it after Unlink")
	}
	created(t, name, 100, nil)
	if got, err := shm("size", name); err != nil || got != "100" {
		t.Errorf("C sees %s bytes, error %v, want 100", got, err)
	}
	succeed(t, "Unlink", filemap.Unlink(name))
}

// TestPythonTakesAlias has a Python remove the name it attached to, which is
// not the name that everybody needs.
func TestPythonTakesAlias(t *testing.T) {
	tag, py := sharedName(t), python(t)
	m := created(t, `Local\`+tag, 10_000, nil)
	v := viewed(t, m, 0, 0)
	for _, text := range []string{"first", "again"} {
		alias, err := m.Alias()
		succeed(t, "Alias", err)
		put(t, v, 100, "hello")
		if got, err := py("attach", alias, "100", text); err != nil || got != "hello" {
			t.Fatalf("Python reads %q, error %v", got, err)
		}
		expectText(t, "what Python wrote", v, 100, text)
		succeed(t, "Check", m.Check())
		closed(t, opened(t, m.Name(), filemap.ReadWrite))
	}
	_, err := m.Alias() // goes with the mapping
	succeed(t, "Alias", err)
}

// TestPythonTakesName has a Python remove the name itself.
func TestPythonTakesName(t *testing.T) {
	tag, py := sharedName(t), python(t)
	m := created(t, `Local\`+tag, 10_000, nil)
	v := viewed(t, m, 0, 0)
	put(t, v, 0, "kept")
	_, err := m.Alias()
	succeed(t, "Alias", err)

	pythonTakes(t, py, m.Name())
	succeed(t, "Check with an alias left", m.Check())
	again := opened(t, m.Name(), filemap.ReadOnly)
	expectText(t, "the name that came back", viewed(t, again, 0, 0), 0, "kept")

	alias, err := m.Alias()
	succeed(t, "Alias", err)
	succeed(t, "Remove", os.Remove(filepath.Join(sharedDir, alias)))
	pythonTakes(t, py, m.Name())
	expect(t, "Check without an alias", m.Check(), object.ErrNameLost)
	_, err = m.Alias()
	expect(t, "Alias", err, object.ErrNameLost)
	expectText(t, "the view", v, 0, "kept")

	second := created(t, m.Name(), 100, nil)
	expect(t, "Check with another mapping of the name", m.Check(), object.ErrNameLost)
	succeed(t, "Check of the other", second.Check())
	closed(t, m)
	succeed(t, "Check of the other", second.Check())
}

// pythonTakes has Python attach to a mapping by its own name and end.
func pythonTakes(t *testing.T, py func(...string) (string, error), name string) {
	t.Helper()
	_, err := py("attach", posixName(t, name), "5000", "x")
	succeed(t, "Python attaches", err)
	if _, err := fileAt(name); err == nil {
		t.Skip("needs a Python that removes what it attached to")
	}
}

func TestMappingOfPython(t *testing.T) {
	tag := sharedName(t)
	cmd := exec.Command(pythonPath(t), "foreign/python/shm.py", "create", tag, "5000", "from Python")
	stdin, err := cmd.StdinPipe()
	succeed(t, "StdinPipe", err)
	stdout, err := cmd.StdoutPipe()
	succeed(t, "StdoutPipe", err)
	cmd.Stderr = os.Stderr
	succeed(t, "Start", cmd.Start())
	output := bufio.NewReader(stdout)
	if line, err := output.ReadString('\n'); err != nil || line != "created\n" {
		t.Fatalf("Python says %q, error %v", line, err)
	}

	m := opened(t, "/"+tag, filemap.ReadWrite)
	if m.Size() != 5000 {
		t.Errorf("Size() = %d, want 5000", m.Size())
	}
	v := viewed(t, m, 0, 0)
	expectText(t, "what Python wrote", v, 0, "from Python")
	put(t, v, 0, "from the Go")
	closed(t, stdin)
	if rest, err := io.ReadAll(output); err != nil || string(rest) != "from the Go" {
		t.Errorf("Python reads %q, error %v", rest, err)
	}
	succeed(t, "Wait", cmd.Wait())
	expectNone(t, "Open after Python has unlinked it", "/"+tag, fs.ErrNotExist)
}
