package test

import (
	"os/exec"
	"strings"
	"testing"
)

// exits runs a program to its end, and checks its exit code and that it prints
// each of some lines.
func (w *win32) exits(code int, lines []string, program string, arguments ...string) {
	w.t.Helper()
	cmd := exec.Command("wine", append([]string{program}, arguments...)...)
	output, _ := cmd.CombinedOutput()
	got := strings.ReplaceAll(string(output), "\r\n", "\n")
	if cmd.ProcessState.ExitCode() != code {
		w.t.Errorf("%q exits with %d, want %d", arguments, cmd.ProcessState.ExitCode(), code)
	}
	for _, line := range lines {
		if !strings.Contains(got, line) {
			w.t.Errorf("%q prints %q, want %q", arguments, got, line)
		}
	}
}

// TestWin32Grants has C programs grant single rights to their objects. The
// command does what is granted, says what is not, and states nothing of an
// object that it may not query.
func TestWin32Grants(t *testing.T) {
	w := newWin32(t)
	c, command := w.c("grant"), w.command()
	const (
		setOnly, waitOnly, queryOnly, nothing = "2", "100000", "1", "0"

		unknown = "state    unknown (access denied)"
		none    = "access denied: this user has no right to the object of this name"
	)
	for _, test := range []struct {
		kind, rights string
		verb         string
		code         int
		says         string
		waits        int
		waitSays     string
		info         string
	}{
		{"event", setOnly, "set", 0, "", 5,
			"access denied: this handle may set the event, but not wait for it", unknown},
		{"event", waitOnly, "set", 5,
			"access denied: this handle may wait for the event, but not set it", 124, "timed out", unknown},
		{"event", queryOnly, "set", 5,
			"access denied: this handle may query the event, but not set it", 5,
			"access denied: this handle may query the event, but not wait for it", "signaled      no"},
		{"event", nothing, "set", 5, none, 5, none, unknown},
		{"semaphore", setOnly, "release", 0, "", 5,
			"access denied: this handle may release the semaphore, but not wait for it", unknown},
		{"mutex", queryOnly, "", 0, "", 5,
			"access denied: this handle may query the mutex, but not lock it", "owner    -"},
		{"timer", queryOnly, "", 0, "", 5,
			"access denied: this handle may query the timer, but not wait for it", "manual reset  unknown"},
		{"mapping", "2", "cat", 5,
			"access denied: this user may write the mapping, but not read it", 4, "",
			"size     unknown (access denied)"},
		{"job", "", "cat", 4, "it is a job, not a mapping", 0, "", "kind               job"}, // it has no members
	} {
		name := w.name + test.kind + test.rights
		_, end := w.start(c, test.kind, name, test.rights)
		if test.verb != "" {
			w.exits(test.code, []string{test.says}, command, test.verb, name)
		}
		w.exits(test.waits, []string{test.waitSays}, command, "wait", name, "--timeout", "0s")
		w.exits(0, []string{test.info}, command, "info", name)
		if test.kind == "job" {
			w.exits(0, []string{name + "  job"}, command, "ls", name)
		}
		end()
	}
	t.Logf("figures: Win32: objects that grant single rights, and a job: 9 used and looked at")
}
