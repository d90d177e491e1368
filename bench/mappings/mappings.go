// Package mappings measures mappings and views, beside bare system calls and the Go
// modules that come nearest.
package mappings

import (
	"errors"

	"github.com/filemap-go/filemap/bench/measure"
)

// Roles are the main functions of the child processes.
var Roles = measure.Roles{
	manyRole: func() error { return measure.Answer(measureMany()) },
}

// Run measures making and opening mappings, access to views, and very many objects.
func Run(r *measure.Runner, results *measure.Report) error {
	return errors.Join(runMapping(r, results), runAccess(r, results), runMany(r, results))
}
