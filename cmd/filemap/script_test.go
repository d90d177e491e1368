package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/filemap-go/filemap/channel"
)

func TestMain(m *testing.M) {
	testscript.Main(suite{m}, map[string]func(){"filemap": main, "listen": listen})
}

// listen is a program that has a Listener of the name in its argument until its
// input ends.
func listen() {
	l, err := channel.Listen(os.Args[1], nil)
	if err == nil {
		fmt.Println("listening")
		_, err = io.Copy(io.Discard, os.Stdin)
		err = errors.Join(err, l.Close())
	}
	if err != nil {
		log.Fatal(err)
	}
}

// passOnSignals has the programs that the tests start begin without ignored signals.
// This process may have been started to ignore some, as nohup and a script's & do; it
// goes on to ignore them.
func passOnSignals() {
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
}

// suite is the tests, and removes testscript's copies of the programs after them,
// one by one: testscript would use os.RemoveAll, which fails under Wine.
type suite struct{ *testing.M }

func (s suite) Run() int {
	passOnSignals()
	code := s.M.Run()
	for _, program := range []string{"filemap", "listen"} {
		path, err := exec.LookPath(program)
		if err != nil {
			continue
		}
		for range 3 { // the file and two directories
			_ = os.Remove(path) // if it stays, testscript tells
			path = filepath.Dir(path)
		}
	}
	return code
}

// TestScript runs the scripts. Each has a namespace of its own: on Linux a
// directory, $FILEMAP_DIR, and the POSIX name $POSIX; on Windows, where names are
// the machine's, it uses names that begin with $MAP.
//
// Beside testscript's commands there are
//
//	exits CODE PROGRAM [ARG...]          run it, and see that it ends so
//	hold ID PATTERN PROGRAM [ARG...]     start it, and wait until it prints PATTERN
//	await ID PATTERN                     wait until it has
//	[!] end ID enter|eof|int|term|quit|kill   end it: it must succeed, after ! fail
//	public                               let all users run filemap and meet in $FILEMAP_DIR
//	examples CODE... VERB:CODE...        run the examples of --help, which may end so
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		Setup:               isolate,
		Condition:           condition,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "hold": hold, "await": await, "end": end,
			"public": public, "examples": examples,
		},
	})
}

// isolate gives a script its namespace, and checks in the end that it left
// nothing there.
func isolate(env *testscript.Env) error {
	env.Values[processesKey{}] = make(map[string]*process)
	env.Values[environmentKey{}] = env
	env.Setenv("MAP", `Local\Script-`+rand.Text())
	env.Setenv("GORACE", "atexit_sleep_ms=0 "+os.Getenv("GORACE")) // by default a second each
	if runtime.GOOS != "linux" {
		return nil
	}
	dir, err := os.MkdirTemp("/dev/shm", "filemap-script-")
	if err != nil {
		return err
	}
	env.Setenv("FILEMAP_DIR", dir)
	env.Setenv("FILEMAP_CGROUP", "off") // whether jobs can have one depends on the machine
	posix := "script-" + rand.Text()
	env.Setenv("POSIX", "/"+posix)
	t := env.T().(testing.TB)
	env.Defer(func() {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left in FILEMAP_DIR: %v, %v", left, err)
		}
		os.RemoveAll(dir)
		if os.Remove("/dev/shm/"+posix) == nil {
			t.Errorf("left: /dev/shm/%s", posix)
		}
	})
	return nil
}

func condition(what string) (bool, error) {
	if what == "root" {
		return os.Geteuid() == 0, nil
	}
	return false, errors.New("unknown condition " + what)
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("the exit code is %d, want %d", got, want)
	}
}

// public opens the directories of filemap and of the objects to all users.
func public(ts *testscript.TestScript, neg bool, args []string) {
	program, err := exec.LookPath("filemap")
	ts.Check(err)
	bin := filepath.Dir(program)
	ts.Check(os.Chmod(bin, 0o755))
	ts.Check(os.Chmod(filepath.Dir(bin), 0o755))
	ts.Check(os.Chmod(program, 0o755))
	ts.Check(os.Chmod(ts.Getenv("FILEMAP_DIR"), 0o777|os.ModeSticky))
}

// examples runs each example of filemap's help by bash, for a second if it does not
// end by itself: then its exit code is 124.
func examples(ts *testscript.TestScript, neg bool, codes []string) {
	for _, verb := range allCommands(newRoot()) {
		for line := range strings.Lines(verb.Example) {
			line = strings.TrimSuffix(strings.TrimSpace(line), "&")
			code := "0"
			err := ts.Exec("timeout", "1", "bash", "-c", line)
			if exit, ok := errors.AsType[*exec.ExitError](err); ok {
				code = strconv.Itoa(exit.ExitCode())
			}
			allowed := slices.Contains(codes, code) || slices.Contains(codes, verb.Name()+":"+code)
			if allowed == neg {
				ts.Fatalf("the exit code of %q is %s", line, code)
			}
		}
	}
}
