package kernel

import (
	"errors"
	"io/fs"
)

// openOrCreateAttempts bounds how often a name may vanish and come back between two
// looks at it.
const openOrCreateAttempts = 1000

// OpenOrCreate opens an object, or creates it if there is none of the name, and
// reports which it did. An object without a name is always created.
func OpenOrCreate[T any](named bool, open, create func() (T, error)) (object T, created bool, err error) {
	var none T
	for range openOrCreateAttempts {
		if named {
			if object, err = open(); err == nil {
				return object, false, nil
			} else if !errors.Is(err, fs.ErrNotExist) {
				return none, false, err
			}
		}
		if object, err = create(); err == nil {
			return object, true, nil
		} else if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return none, false, err
}
