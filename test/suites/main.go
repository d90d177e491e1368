// Command suites runs tests that others wrote for TCP over shared memory: it
// compares how many pass over TCP and over package channel.
//
//	go run ./test/suites [-race] [-run REGEXP] [-skip REGEXP] [PACKAGE...]
//
// The packages are those of Go's own tree and of modules that this workspace knows.
// They are compiled with an overlay: package net gets two hooks, and the package's
// tests a file that sets them. Nothing of theirs is changed on disk: Go refuses an
// overlay of its module cache, so a package of a module is tested in a copy of it.
//
// gRPC's two suites have tests that only a socket passes, and tests that never close a
// listener and then look for goroutines: a Listener has one until it is closed. After
// such a test the suite looks for no more, so that they are better skipped:
//
//	go run ./test/suites -skip 'Test/(HTTPConnectWithServerHello|TCPUserTimeout)' google.golang.org/grpc/internal/transport
//	go run ./test/suites -skip 'Test/(CZSocketMetricsSocketOption|GoAwayStreamIDSmallerThanCreatedStreams)' google.golang.org/grpc/test
package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed hook.go.txt
var hook string

// netHooks is a further file of package net.
const netHooks = `package net

import (
	"context"
	"io"
)

var (
	FilemapListen func(network, address string) (Listener, error, bool)
	FilemapDial   func(ctx context.Context, network, address string) (Conn, error, bool)
)

// FilemapTCPConn is what tests want of a *TCPConn.
type FilemapTCPConn interface {
	Conn
	CloseRead() error
	CloseWrite() error
	SetLinger(seconds int) error
	ReadFrom(r io.Reader) (int64, error)
}
`

// hooked are the functions of net/dial.go that ask the hooks first.
var hooked = []struct{ function, ask string }{
	{
		"func (lc *ListenConfig) Listen(ctx context.Context, network, address string) (Listener, error) {\n",
		"\tif FilemapListen != nil {\n\t\tif l, err, ok := FilemapListen(network, address); ok {\n\t\t\treturn l, err\n\t\t}\n\t}\n",
	},
	{ // where a dial has an address, after names are resolved
		"\tla := sd.LocalAddr\n\tswitch ra := ra.(type) {\n\tcase *TCPAddr:\n",
		"\t\tif FilemapDial != nil {\n\t\t\tif c, err, ok := FilemapDial(ctx, sd.network, ra.String()); ok {\n\t\t\t\treturn c, err\n\t\t\t}\n\t\t}\n",
	},
}

var (
	withRace = flag.Bool("race", false, "run with the race detector")
	pattern  = flag.String("run", "", "the tests to run, as for go test")
	skip     = flag.String("skip", "", "the tests to skip, such as those that panic unless a connection is a *net.TCPConn")
	timeout  = flag.String("timeout", "10m", "for each package")
	verbose  = flag.Bool("v", false, "print what the tests that fail only over shared memory said")
)

func main() {
	flag.Parse()
	packages := flag.Args()
	if len(packages) == 0 {
		packages = []string{"net/http", "net/http/httputil", "net/rpc", "net/rpc/jsonrpc", "net/smtp", "crypto/tls"}
	}
	failed := false
	for _, path := range packages {
		ok, err := compare(path)
		if err != nil {
			fmt.Fprintf(os.Stderr, "suites: %s: %v\n", path, err)
		}
		failed = failed || !ok
	}
	if failed {
		os.Exit(1)
	}
}

// compare runs a package's tests both ways and prints the difference. It reports
// whether those that pass over TCP pass over shared memory.
func compare(path string) (ok bool, err error) {
	dir, err := os.MkdirTemp("", "suites-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	s := &suite{path: path, dir: dir}
	if err := s.copyModule(); err != nil {
		return false, err
	}
	overlay, err := s.makeOverlay()
	if err != nil {
		return false, err
	}
	plain, _, err := s.run()
	if err != nil {
		return false, err
	}
	ours, output, err := s.run("-overlay", overlay)
	if err != nil {
		return false, err
	}
	var worse []string
	for name, result := range plain {
		if result == "pass" && ours[name] != "pass" {
			worse = append(worse, fmt.Sprintf("%s: %s", name, either(ours[name], "did not end")))
		}
	}
	slices.Sort(worse)
	fmt.Printf("%-24s TCP: %d of %d passed; shared memory: %d of %d passed\n",
		path, passed(plain), len(plain), passed(ours), len(ours))
	for _, line := range worse {
		fmt.Println("    " + line)
		if *verbose {
			name, _, _ := strings.Cut(line, ": ")
			fmt.Println(output[name])
		}
	}
	return len(worse) == 0, nil
}

func either(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func passed(results map[string]string) (n int) {
	for _, result := range results {
		if result == "pass" {
			n++
		}
	}
	return n
}

// makeOverlay writes the files that replace others, and the list of them.
func (s *suite) makeOverlay() (list string, err error) {
	netDir, err := s.list("{{.Dir}}", "net")
	if err != nil {
		return "", err
	}
	packageDir, err := s.list("{{.Dir}}", s.path)
	if err != nil {
		return "", err
	}
	name, err := s.list("{{.Name}}", s.path)
	if err != nil {
		return "", err
	}
	source, err := os.ReadFile(filepath.Join(netDir, "dial.go"))
	if err != nil {
		return "", err
	}
	text := string(source)
	for _, h := range hooked {
		if strings.Count(text, h.function) != 1 {
			return "", fmt.Errorf("this Go's net/dial.go has no %q", h.function)
		}
		text = strings.Replace(text, h.function, h.function+h.ask, 1)
	}
	files := map[string]string{
		filepath.Join(netDir, "dial.go"):                   text,
		filepath.Join(netDir, "filemap_hooks.go"):          netHooks,
		filepath.Join(packageDir, "filemap_hooks_test.go"): strings.Replace(hook, "PACKAGE", name, 1),
	}
	if err := assertLess(files, packageDir); err != nil {
		return "", err
	}
	replace := make(map[string]string)
	for target, content := range files {
		file := filepath.Join(s.dir, fmt.Sprintf("%d.go", len(replace)))
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			return "", err
		}
		replace[target] = file
	}
	encoded, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	list = filepath.Join(s.dir, "overlay.json")
	return list, os.WriteFile(list, encoded, 0o600)
}

// assertLess has a package's tests ask for the methods of a *net.TCPConn that they
// use, not for the type, except in files that embed one.
func assertLess(files map[string]string, packageDir string) error {
	tests, err := filepath.Glob(filepath.Join(packageDir, "*_test.go"))
	if err != nil {
		return err
	}
	for _, test := range tests {
		source, err := os.ReadFile(test)
		if err != nil {
			return err
		}
		if strings.Contains(string(source), "\t*net.TCPConn\n") {
			continue
		}
		less := strings.ReplaceAll(string(source), "*net.TCPConn", "net.FilemapTCPConn")
		if less != string(source) {
			files[test] = less
		}
	}
	return nil
}

// run runs the package's tests, and returns each one's result and output.
func (s *suite) run(flags ...string) (results, output map[string]string, err error) {
	arguments := append([]string{"test", "-json", "-short", "-vet=off", "-count=1", "-timeout", *timeout}, flags...)
	if *withRace {
		arguments = append(arguments, "-race")
	}
	arguments = append(arguments, "-run", *pattern, "-skip", *skip)
	var all, errors bytes.Buffer
	cmd := s.goCommand(append(arguments, s.path)...)
	cmd.Stdout, cmd.Stderr = &all, &errors
	failure := cmd.Run() // of a test, or more
	results, output = make(map[string]string), make(map[string]string)
	for decoder := json.NewDecoder(&all); ; {
		var event struct{ Action, Test, Output string }
		if decoder.Decode(&event) != nil {
			break
		}
		switch event.Action {
		case "pass", "fail", "skip":
			if event.Test != "" {
				results[event.Test] = event.Action
			}
		case "output", "build-output":
			output[event.Test] += event.Output
		}
	}
	if len(results) == 0 {
		return nil, nil, fmt.Errorf("no test ran: %v\n%s%s", failure, errors.String(), output[""])
	}
	return results, output, nil
}
