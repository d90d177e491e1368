package main

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/filemap-go/filemap/filemaptest"
)

// validLines are command lines that each end by themselves. NAME stands for a name
// in the test's namespace.
var validLines = [][]string{
	{"server", "NAME", "--size", "64KiB", "--message", "hello"},
	{"client", "NAME", "--timeout", "1ms"},
	{"create", "NAME", "--size", "4KiB", "--share", "read"},
	{"create", "NAME", "--size", "16", "--file", "backing.bin"},
	{"create", "NAME", "--size=64", "--sparse"},
	{"create", "NAME", "--kind", "event", "--manual-reset", "--signaled"},
	{"create", "NAME", "--kind", "semaphore", "--count", "1", "--max", "3"},
	{"create", "NAME", "--kind=timer", "--due", "1s", "--period", "2s"},
	{"create", "NAME", "--kind", "queue", "--capacity", "64KiB"},
	{"create", "NAME", "--kind", "topic", "--overflow", "overwrite"},
	{"create", "NAME", "--kind", "latest", "--size", "64"},
	{"ls", "NAME*", "--json", "--parts"},
	{"info", "NAME", "--json"},
	{"cat", "NAME", "--offset", "0x10", "--length", "16", "--text", "utf16"},
	{"write", "NAME", "--offset", "16"},
	{"dump", "NAME", "--length", "64", "--watch", "--interval", "1ms", "--count", "2"},
	{"wait", "NAME", "NAME-b", "--all", "--timeout", "1ms"},
	{"set", "NAME"},
	{"reset", "NAME"},
	{"pulse", "NAME"},
	{"release", "NAME", "2"},
	{"timer", "set", "NAME", "--due", "5s", "--period", "1m"},
	{"timer", "cancel", "NAME"},
	{"lock", "NAME", "--read", "--timeout", "1ms", "--share", "none"},
	{"send", "NAME", "--raw", "--timeout", "1ms", "--capacity", "4KiB"},
	{"recv", "NAME", "--raw", "--timeout", "1ms", "--count", "1"},
	{"publish", "NAME", "--timeout", "1ms", "--", "message", "another"},
	{"subscribe", "NAME", "--last", "2", "--count", "1", "--timeout", "1ms", "--json", "--overflow", "overwrite"},
	{"put", "NAME", "value", "--timeout", "1ms"},
	{"get", "NAME", "--watch", "--count", "1", "--timeout", "1ms", "--json"},
	{"clean", "--json"},
	{"version", "--json"},
	{"help", "create"},
	{"completion", "bash"},
	{"complete-line", "bash", "--", "filemap cat 'Local\\", "Local\\"},
}

// oddWords are what a mutation puts in the place of a word, or next to it. No
// number is one that there could be memory for, and yet a lot.
var oddWords = []string{
	"", " ", "-", "--", "---", "-x", "--no-such-flag", "--size", "--timeout", "--kind", "--count",
	"0", "-1", "1", "3.5", "1e9", "0x", "0xg", "99999999999999999999999", "9223372036854775807",
	"-9223372036854775808", "8388607GiB", "1MB", "5", "1h-", "ns", "--timeout=", "--size=-1",
	"a\x00b", "\xff\xfe", "\x1b[2J", "日本", `Local\`, `Global\`, `Local\a\b`, "Local/x", "/", "/x/y",
	`"`, "'", `'Local\x`, "$(id)", "*", "[", `Local\[`, "\n", "\u202e", "%s%n",
	strings.Repeat("x", 300), strings.Repeat("x", 40_000),
	"mapping", "event", "semaphore", "timer", "queue", "topic", "latest", "read", "all", "utf8",
}

// mutate changes a command line in one or a few places.
func mutate(r *rand.Rand, line []string) []string {
	line = slices.Clone(line)
	for range 1 + r.IntN(2) {
		at := r.IntN(len(line) + 1)
		odd := oddWords[r.IntN(len(oddWords))]
		if at == len(line) {
			line = append(line, odd)
			continue
		}
		switch r.IntN(6) {
		case 0:
			line = slices.Delete(line, at, at+1)
		case 1:
			line[at] = odd
		case 2:
			line = slices.Insert(line, at, odd)
		case 3:
			line = slices.Insert(line, at, line[r.IntN(len(line))])
		case 4:
			line[at] += odd
		case 5:
			word := []byte(line[at])
			for range min(len(word), 3) {
				word[r.IntN(len(word))] = byte(r.Uint32())
			}
			line[at] = string(word)
		}
		if len(line) == 0 {
			return []string{odd}
		}
	}
	return line
}

// TestMalformedLines runs command lines with mistakes, on names that are free and
// names of objects. Whatever they are, filemap ends, with an exit code of its table,
// and tells what is wrong in one line.
func TestMalformedLines(t *testing.T) {
	space := filemaptest.New(t)
	t.Chdir(emptyDir(t))
	names := []string{space.Name("free")}
	for _, kind := range []string{"mapping", "event", "semaphore", "queue", "topic", "latest"} {
		o := newObject{kind: kind, size: 64, capacity: 4 << 10, count: 1, max: 2}
		made, err := o.create(newRoot(), space.Name(kind))
		if err != nil {
			t.Fatalf("create a %s: %v", kind, err)
		}
		defer made.Close()
		names = append(names, made.Name())
	}
	r := rand.New(rand.NewPCG(3, 4))
	for n := range 500 {
		line := mutate(r, validLines[n%len(validLines)])
		name := names[r.IntN(len(names))]
		for i, word := range line {
			line[i] = strings.ReplaceAll(word, "NAME", name)
		}
		runLine(t, line)
	}
}

// emptyDir returns a directory that goes with the test. t.TempDir uses os.RemoveAll,
// which fails under Wine.
func emptyDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "filemap-lines-")
	if err != nil {
		t.Fatalf("MkdirTemp: %v", err)
	}
	t.Cleanup(func() {
		files, _ := os.ReadDir(dir)
		for _, file := range files {
			_ = os.Remove(filepath.Join(dir, file.Name()))
		}
		if err := os.Remove(dir); err != nil {
			t.Errorf("Remove: %v", err)
		}
	})
	return dir
}

// runLine runs a command line in this process.
func runLine(t *testing.T, line []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond) // ends what waits
	defer cancel()
	var out, errs bytes.Buffer
	root := newRoot()
	root.SetArgs(line)
	root.SetIn(strings.NewReader(""))
	root.SetOut(&out)
	root.SetErr(&errs)
	ended := make(chan int)
	go func() { ended <- report(&errs, root.ExecuteContext(ctx)) }()
	select {
	case code := <-ended:
		checkReport(t, line, code, errs.String())
	case <-time.After(patience):
		t.Fatalf("filemap %q does not end", line)
	}
}

// checkReport checks how filemap ended. The exit code of a command that it ran is
// passed on, so it may be any.
func checkReport(t *testing.T, line []string, code int, said string) {
	t.Helper()
	if (code < exitDone || code > exitExists) && code != exitTimeout && !slices.Contains(line, "--") {
		t.Errorf("filemap %q: the exit code is %d", line, code)
	}
	var about []string
	for text := range strings.Lines(said) {
		text = strings.TrimSuffix(text, "\n")
		switch {
		case printable(text) != text, text == "filemap: ", text == "hint: ":
			t.Errorf("filemap %q says %q", line, text)
		case strings.HasPrefix(text, "filemap: "):
			about = append(about, text)
		case !strings.HasPrefix(text, "hint: ") && text != "no objects":
			t.Errorf("filemap %q says %q", line, text)
		}
	}
	if code != exitDone && len(about) != 1 && !slices.Contains(line, "--") {
		t.Errorf("filemap %q: the exit code is %d, and it says %q", line, code, said)
	}
	if code == exitUsage && !strings.Contains(said, "\nhint: ") && !slices.Contains(line, "--") {
		t.Errorf("filemap %q: a usage error without a hint: %q", line, said)
	}
}
