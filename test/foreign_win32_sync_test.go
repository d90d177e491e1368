package test

import (
	"io/fs"
	"os/exec"
	"strings"
	"testing"
)

// say runs a program to its end and checks what it prints.
func (w *win32) say(want, program string, arguments ...string) {
	w.t.Helper()
	output, _ := exec.Command("wine", append([]string{program}, arguments...)...).CombinedOutput()
	if got := strings.ReplaceAll(string(output), "\r\n", "\n"); !strings.Contains(got, want) {
		w.t.Errorf("%s says %q, want %q", strings.Join(arguments, " "), got, want)
	}
}

// TestWin32Mutex hands a mutex over, and leaves it abandoned, in both ways.
func TestWin32Mutex(t *testing.T) {
	w := newWin32(t)
	c, command := w.c("sync"), w.command()
	_, keep := w.start(command, "create", w.name, "--kind", "mutex")
	w.say("got", c, "mutex", "try", w.name)
	w.say("got", command, "lock", w.name+"-other", "--", c, "mutex", "try", w.name)

	_, die := w.start(c, "mutex", "hold", w.name+"-c")
	w.say("timed out", command, "lock", w.name+"-c", "--timeout", "50ms", "--", c)
	_, held := w.start(command, "lock", w.name, "--", command, "create", w.name+"-held", "--size", "1")
	w.say("timeout", c, "mutex", "try", w.name)
	held()
	w.say("got", c, "mutex", "try", w.name)
	die()
	keep()
}

// TestWin32Single: an instance in Go and one in C see each other, though the one
// in C only makes the mutex.
func TestWin32Single(t *testing.T) {
	w := newWin32(t)
	c, p := w.c("sync"), w.peer()
	single := func() error {
		_, err := p.do(request{Op: "single", Name: w.name})
		return err
	}
	_, end := w.start(c, "mutex", "single", w.name)
	expect(t, "Single beside a C program", single(), fs.ErrExist)
	end()
	succeed(t, "Single after it", single())
	w.say("runs already", c, "mutex", "single", w.name)
}

// TestWin32Abandoned has a C program die with a mutex that Go made.
func TestWin32Abandoned(t *testing.T) {
	w := newWin32(t)
	c, p := w.c("sync"), w.peer()
	_, die := w.start(c, "mutex", "hold", w.name)
	_, err := p.do(request{Op: "keep mutex", Name: w.name})
	succeed(t, "a Go program opens the C program's mutex", err)
	die()
	abandoned, err := p.do(request{Op: "lock kept", Name: w.name})
	if err != nil || string(abandoned) != "abandoned" {
		t.Errorf("a Go program is told %q, %v", abandoned, err)
	}
	w.say("timeout", c, "mutex", "try", w.name)
	p.exit()
	w.say("error 2", c, "mutex", "try", w.name)
}

// TestWin32Signals has each side signal to the other.
func TestWin32Signals(t *testing.T) {
	w := newWin32(t)
	c, command := w.c("sync"), w.command()
	verbs := map[string]string{"event": "set", "semaphore": "release", "timer": ""}
	for kind, verb := range verbs {
		create := []string{"create", w.name + kind, "--kind", kind}
		if kind == "semaphore" {
			create = append(create, "--max", "5")
		}
		_, keepGo := w.start(command, create...)
		w.say("previous 0", c, kind, "signal", w.name+kind)
		w.say(kind, command, "wait", w.name+kind, "--timeout", "10s")
		w.say("timed out", command, "wait", w.name+kind, "--timeout", "0s")
		if verb != "" {
			w.say("", command, verb, w.name+kind)
			w.say("got", c, kind, "try", w.name+kind)
		}
		w.say("timeout", c, kind, "try", w.name+kind)
		keepGo()

		_, keepC := w.start(c, kind, "hold", w.name+kind+"-c")
		w.say("previous 0", c, kind, "signal", w.name+kind+"-c")
		w.say(kind, command, "wait", w.name+kind+"-c", "--timeout", "10s")
		keepC()
	}
	t.Logf("figures: Win32: events, semaphores and timers handed over in both directions")
}
