package objmgr

import (
	"io/fs"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/object"
)

// ReleaseSemaphore adds n permits and returns how many there were.
//
// Returns [object.ErrLimit], and adds none, if there would be more than the
// maximum.
func (s *Sync) ReleaseSemaphore(n uint32) (previous uint32, err error) {
	if n == 0 {
		return 0, fs.ErrInvalid
	}
	if s.ledger != nil {
		return s.ledger.release(n)
	}
	err = s.change(func(old layout.State) (layout.State, error) {
		previous = old.Low() & layout.SemaphoreCount
		if previous > s.max || n > s.max-previous {
			return 0, object.ErrLimit
		}
		return old + layout.State(n), nil
	})
	return previous, err
}
