package channel

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/filemap-go/filemap/waitable"
)

// await opens a channel as soon as there is one of the name.
func await[C any](ctx context.Context, name string, open func() (C, error)) (c C, err error) {
	for {
		ended := ctx.Err() != nil // before the look
		c, err = open()
		inTheWay := errors.Is(err, os.ErrDeadlineExceeded) // a process that is stopped
		if !inTheWay && !errors.Is(err, fs.ErrNotExist) {
			return c, err
		}
		if ended {
			return c, failed("open", name, context.Cause(ctx))
		}
		if inTheWay {
			continue
		}
		_, err := waitable.Any(ctx, waitable.Name(name))
		if err != nil && ctx.Err() == nil {
			return c, failed("open", name, err)
		}
	}
}
