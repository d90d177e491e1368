package mappings

import (
	_ "embed"

	"github.com/filemap-go/filemap/bench/measure"
)

//go:embed c/mapping.c
var programSource string

// program is the C program of the mapping contests, running.
type program struct{ *measure.Program }

// startProgram returns an error that is exec.ErrNotFound if there is no C compiler.
func startProgram() (program, error) {
	path, err := measure.CompileC("mapping", programSource)
	if err != nil {
		return program{}, err
	}
	running, err := measure.StartProgram(path)
	return program{running}, err
}

func (p program) creates(what string) func(use) measure.Lap {
	return func(u use) measure.Lap { return p.Lap(what, measure.InDirectory("c"), int(u)) }
}

func (p program) opens(_, native string, u use) measure.Lap { return p.Lap("open", native, int(u)) }
