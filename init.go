package filemap

import (
	"fmt"

	"github.com/filemap-go/filemap/object"
)

// initError carries an error of [CreateOptions.Init] past code that looks for
// errors of its own: one that is an fs.ErrExist does not mean the mapping.
type initError struct{ cause error }

func (e *initError) Error() string { return fmt.Sprint("init: ", e.cause) }

// initialize calls init with a view of all of a mapping that is being created.
func initialize(m *Mapping, init func(*View) error) error {
	v, err := m.View(0, 0)
	if err != nil {
		return &initError{err}
	}
	defer v.Close()
	if err := init(v); err != nil {
		return &initError{err}
	}
	return nil
}

// createFailed returns the error of a failed creation.
func createFailed(name object.Name, err error) error {
	if e, ok := err.(*initError); ok {
		err = fmt.Errorf("init: %w", e.cause)
	}
	return failed("create", name.String(), err)
}
