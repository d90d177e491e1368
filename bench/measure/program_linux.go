package measure

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Program is a program in C that does and times operations, running: it answers each
// line of its input with the nanoseconds that it took.
type Program struct {
	process *exec.Cmd
	orders  io.WriteCloser
	answers io.Reader
}

// StartProgram starts what CompileC compiled.
func StartProgram(executable string) (*Program, error) {
	p := &Program{process: exec.Command(executable)}
	p.process.Stderr = os.Stderr
	var err error
	if p.orders, err = p.process.StdinPipe(); err != nil {
		return nil, err
	}
	if p.answers, err = p.process.StdoutPipe(); err != nil {
		return nil, err
	}
	return p, p.process.Start()
}

// CompileC returns the path of an executable in the run's directory. The error is
// exec.ErrNotFound if there is no C compiler.
func CompileC(name, source string) (path string, err error) {
	path = InDirectory(name)
	compiler := exec.Command("gcc", "-O2", "-Wall", "-pthread", "-o", path, "-xc", "-")
	compiler.Stdin = strings.NewReader(source)
	if text, err := compiler.CombinedOutput(); err != nil {
		return "", fmt.Errorf("gcc: %w\n%s", err, text)
	}
	return path, nil
}

// Stop ends the program's input, and waits for its end.
func (p *Program) Stop() error { return errors.Join(p.orders.Close(), p.process.Wait()) }

// Lap has the program do and time the operations: the line is the words, and how many.
func (p *Program) Lap(words ...any) Lap {
	return func(n int) (time.Duration, error) {
		if _, err := fmt.Fprintln(p.orders, append(words, n)...); err != nil {
			return 0, err
		}
		var took time.Duration
		_, err := fmt.Fscanln(p.answers, &took)
		return took, err
	}
}
