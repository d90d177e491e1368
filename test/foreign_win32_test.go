package test

import (
	"bufio"
	"crypto/rand"
	"encoding/binary"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/filemap-go/filemap"
)

// These tests run on Linux, with Wine for Windows: there are a C compiler and
// Go's for both sides of the exchange.

const (
	win32MapSize = 64 << 10
	win32Message = "Message from the first process."
)

// win32 is programs for Windows, built for one test.
type win32 struct {
	t    *testing.T
	dir  string
	name string // of a mapping, the test's own
}

func newWin32(t *testing.T) *win32 {
	t.Helper()
	linuxOnly(t, "it builds programs with Linux's tools")
	for _, tool := range []string{"wine", "x86_64-w64-mingw32-gcc"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("needs " + tool)
		}
	}
	if os.Getenv("WINEPREFIX") == "" {
		t.Skip("needs WINEPREFIX as .ci/wine.sh sets it")
	}
	return &win32{t, t.TempDir(), `Local\Sample $ ` + rand.Text()}
}

// c builds foreign/windows/NAME.c and returns the program.
func (w *win32) c(name string) string {
	w.t.Helper()
	program := filepath.Join(w.dir, name+".exe")
	w.build(exec.Command("x86_64-w64-mingw32-gcc", "-municode", "-Wall", "-Wextra", "-Werror",
		"-o", program, filepath.Join("foreign", "windows", name+".c")))
	return program
}

// peer builds this test for Windows and starts a peer.
func (w *win32) peer() *peer {
	w.t.Helper()
	return startPeerAs(w.t, inRole("peer", "wine", w.testBinary()))
}

// testBinary builds this test for Windows and returns the program.
func (w *win32) testBinary() string {
	w.t.Helper()
	program := filepath.Join(w.dir, "peer.exe")
	w.build(exec.Command("go", "test", "-c", "-o", program, "."))
	return program
}

// command builds the command for Windows and returns the program.
func (w *win32) command() string {
	w.t.Helper()
	program := filepath.Join(w.dir, "filemap.exe")
	w.build(exec.Command("go", "build", "-C", "../cmd/filemap", "-o", program, "."))
	return program
}

func (w *win32) build(cmd *exec.Cmd) {
	w.t.Helper()
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("%v: %v\n%s", cmd.Args, err, output)
	}
}

// start starts a program, and returns when it has printed the last line before
// it waits for input, what it has printed, and a function that has it end.
func (w *win32) start(program string, arguments ...string) (printed string, end func()) {
	w.t.Helper()
	cmd := exec.Command("wine", append([]string{program}, arguments...)...)
	cmd.Stderr = os.Stderr
	cmd.WaitDelay = time.Minute
	stdin, err := cmd.StdinPipe()
	succeed(w.t, "StdinPipe", err)
	stdout, err := cmd.StdoutPipe()
	succeed(w.t, "StdoutPipe", err)
	succeed(w.t, "Start", cmd.Start())
	w.t.Cleanup(func() { cmd.Process.Kill() })
	lines := bufio.NewReader(stdout)
	for !strings.Contains(printed, "Press ENTER") {
		line, err := lines.ReadString('\n')
		if err != nil {
			w.t.Fatalf("%s prints %q, then %v", program, printed+line, err)
		}
		printed += line
	}
	return strings.ReplaceAll(printed, "\r\n", "\n"), func() {
		w.t.Helper()
		_, err := io.WriteString(stdin, "\n")
		succeed(w.t, "ENTER", err)
		succeed(w.t, program, cmd.Wait())
	}
}

// serverPrints and clientPrints are what both programs of a kind print.

func (w *win32) serverPrints() string {
	return "The file mapping (" + w.name + ") is created\nThe file view is mapped\n" +
		"This message is written to the view:\n\"" + win32Message + "\"\n" +
		"Press ENTER to clean up resources and quit\n"
}

func (w *win32) clientPrints(message string) string {
	return "The file mapping (" + w.name + ") is opened\nThe file view is mapped\n" +
		"Read from the file mapping:\n\"" + message + "\"\n" +
		"Press ENTER to clean up resources and quit\n"
}

// utf16le returns a text as the programs keep it, with a NUL at its end.
func utf16le(text string) (data []byte) {
	for _, unit := range utf16.Encode([]rune(text + "\x00")) {
		data = binary.LittleEndian.AppendUint16(data, unit)
	}
	return data
}

func TestWin32ProgramReadsMapping(t *testing.T) {
	w := newWin32(t)
	p, client := w.peer(), w.c("client")
	const text = "Message from a Go program."
	succeed(t, "create", p.create(w.name, win32MapSize, nil))
	succeed(t, "view", p.view(w.name))
	succeed(t, "write", p.write(w.name, 0, string(utf16le(text))))
	printed, end := w.start(client, w.name)
	end()
	if want := w.clientPrints(text); printed != want {
		t.Errorf("the C client prints\n%s, want\n%s", printed, want)
	}
}

func TestMappingOfWin32Program(t *testing.T) {
	w := newWin32(t)
	p, server, client := w.peer(), w.c("server"), w.c("client")
	_, end := w.start(server, w.name)
	expect(t, "create of what C made", p.create(w.name, win32MapSize, nil), fs.ErrExist)
	succeed(t, "open", p.open(w.name, filemap.ReadWrite))
	succeed(t, "view", p.view(w.name))
	want := utf16le(win32Message)
	if got, err := p.read(w.name, 0, int64(len(want))); err != nil || string(got) != string(want) {
		t.Errorf("Go reads %q, %v, want %q", got, err, want)
	}
	succeed(t, "write", p.write(w.name, 0, string(utf16le("answer"))))
	printed, endClient := w.start(client, w.name)
	if want := w.clientPrints("answer"); printed != want {
		t.Errorf("the C client prints\n%s, want\n%s", printed, want)
	}
	endClient()
	succeed(t, "close", p.closeMapping(w.name))
	succeed(t, "open again", p.open(w.name, filemap.ReadOnly))
	succeed(t, "close", p.closeMapping(w.name))
	end()
	expect(t, "open after the C server's end", p.open(w.name, filemap.ReadOnly), fs.ErrNotExist)
}

// TestCommandWithWin32Program has the command and the C programs be server and
// client in turn.
func TestCommandWithWin32Program(t *testing.T) {
	w := newWin32(t)
	command, server, client := w.command(), w.c("server"), w.c("client")
	for _, test := range []struct{ server, client []string }{
		{[]string{command, "server", w.name}, []string{client, w.name}},
		{[]string{server, w.name}, []string{command, "client", w.name}},
	} {
		printed, endServer := w.start(test.server[0], test.server[1:]...)
		if want := w.serverPrints(); printed != want {
			t.Errorf("%v prints\n%s, want\n%s", test.server, printed, want)
		}
		printed, endClient := w.start(test.client[0], test.client[1:]...)
		if want := w.clientPrints(win32Message); printed != want {
			t.Errorf("%v prints\n%s, want\n%s", test.client, printed, want)
		}
		endClient()
		endServer()
	}
}
