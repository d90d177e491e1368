package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

//go:embed c/mapping.c
var programSource string

// program is the C program of the mapping contests, running.
type program struct {
	process *exec.Cmd
	orders  io.WriteCloser
	answers io.Reader
}

// startProgram returns an error that is exec.ErrNotFound if there is no C
// compiler.
func startProgram() (*program, error) {
	executable := inDirectory("mapping")
	compiler := exec.Command("gcc", "-O2", "-Wall", "-o", executable, "-xc", "-")
	compiler.Stdin = strings.NewReader(programSource)
	if text, err := compiler.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("gcc: %w\n%s", err, text)
	}
	p := &program{process: exec.Command(executable)}
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

func (p *program) stop() error { return errors.Join(p.orders.Close(), p.process.Wait()) }

func (p *program) creates(what string) func(use) lap {
	return func(u use) lap { return p.lap(what, inDirectory("c"), u) }
}

func (p *program) opens(_, native string, u use) lap { return p.lap("open", native, u) }

// lap has the program do and time the operations.
func (p *program) lap(what, path string, u use) lap {
	return func(n int) (time.Duration, error) {
		if _, err := fmt.Fprintln(p.orders, what, path, int(u), n); err != nil {
			return 0, err
		}
		var took time.Duration
		_, err := fmt.Fscanln(p.answers, &took)
		return took, err
	}
}
