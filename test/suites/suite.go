package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// suite is a package whose tests run both ways.
type suite struct {
	path string
	dir  string // for files of this run
	work string // the workspace to use, unless it is the one that holds the caller
}

// copyModule copies the package's module and makes a workspace that uses the copy,
// if the package is in the module cache.
func (s *suite) copyModule() error {
	cache, err := s.goOutput("env", "GOMODCACHE")
	if err != nil {
		return err
	}
	module, err := s.list("{{with .Module}}{{.Path}}\n{{.Dir}}{{end}}", s.path)
	if err != nil {
		return err
	}
	name, from, _ := strings.Cut(module, "\n")
	if !strings.HasPrefix(from, cache+string(filepath.Separator)) {
		return nil
	}
	to := filepath.Join(s.dir, "module")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return err
	}
	return s.replaceModule(name, to)
}

// replaceModule makes a workspace like the present one where a module is elsewhere.
func (s *suite) replaceModule(name, to string) error {
	old, err := s.goOutput("env", "GOWORK")
	if err != nil {
		return err
	}
	modules, err := s.goOutput("list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return err
	}
	text, err := os.ReadFile(old)
	if err != nil {
		return fmt.Errorf("a workspace is needed: %w", err)
	}
	version, _, _ := strings.Cut(string(text), "\n") // the line with Go's version
	lines := version + "\nuse (\n\t" + strings.ReplaceAll(modules, "\n", "\n\t") + "\n)\n" +
		"replace " + name + " => " + to + "\n"
	s.work = filepath.Join(s.dir, "go.work")
	return os.WriteFile(s.work, []byte(lines), 0o600)
}

// list returns what go list prints of a package.
func (s *suite) list(format, path string) (string, error) {
	return s.goOutput("list", "-f", format, path)
}

func (s *suite) goOutput(arguments ...string) (string, error) {
	output, err := s.goCommand(arguments...).Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w", arguments[0], err)
	}
	return strings.TrimSpace(string(output)), nil
}

func (s *suite) goCommand(arguments ...string) *exec.Cmd {
	cmd := exec.Command("go", arguments...)
	if s.work != "" {
		cmd.Env = append(os.Environ(), "GOWORK="+s.work)
	}
	return cmd
}
