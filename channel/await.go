package channel

import (
	"context"
	"errors"
	"io/fs"

	"github.com/filemap-go/filemap/waitable"
)

// await opens a channel as soon as there is one of the name.
func await[C any](ctx context.Context, name string, open func() (C, error)) (c C, err error) {
	for {
		if c, err = open(); !errors.Is(err, fs.ErrNotExist) {
			return c, err
		}
		if _, err := waitable.Any(ctx, waitable.Name(name)); err != nil {
			return c, failed("open", name, err)
		}
	}
}
