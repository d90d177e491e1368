package filemap

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/filemap-go/filemap/internal/kernel"
	"github.com/filemap-go/filemap/object"
)

// The pauses between looks at a name where the system does not tell of new
// ones: twice as long each time.
const (
	awaitPauseFirst = time.Millisecond
	awaitPauseMax   = 100 * time.Millisecond
)

// Await waits until the mapping exists and has opts.MinSize bytes, and opens it.
// If ctx ends first, or has ended and there is no such mapping, the error wraps
// context.Cause(ctx), and says so if there is a smaller one. The other errors are
// those of [Open].
//
// A mapping that another program makes by shm_open(3) has no bytes until that
// program has called ftruncate(2): Await waits for that, whatever MinSize is.
//
// # Linux notes
//
// The wait uses inotify(7), and takes no processor time while it waits.
//
// # Windows notes
//
// The system does not report new names, so Await looks for the name again and
// again, after pauses that grow from 1 ms to 100 ms.
func Await(ctx context.Context, name string, opts *OpenOptions) (*Mapping, error) {
	parsed, err := object.ParseName(name)
	if err != nil {
		return nil, failed("await", name, err)
	}
	m, err := await(ctx, parsed, opts)
	if err != nil {
		return nil, failed("await", parsed.String(), err)
	}
	return m, nil
}

func await(ctx context.Context, name object.Name, opts *OpenOptions) (*Mapping, error) {
	// Watch before the first look, lest the name come to be in between.
	changed, stop, watchErr := kernel.Watch(name)
	if watchErr == nil {
		defer stop()
	}
	for pause := awaitPauseFirst; ; pause = min(2*pause, awaitPauseMax) {
		ended := ctx.Err() != nil // before the look
		m, err := open(ctx, name, opts.grown())
		small := errors.Is(err, object.ErrRange)
		switch {
		case !small && !errors.Is(err, fs.ErrNotExist):
			return m, err
		case ended && small:
			return nil, fmt.Errorf("%w: %w", context.Cause(ctx), err)
		case ended:
			return nil, context.Cause(ctx)
		}
		var again <-chan time.Time
		if watchErr != nil {
			again = time.After(pause)
		}
		select {
		case <-changed:
		case <-again:
		case <-ctx.Done():
		}
	}
}

// grown returns the options of opening a mapping that is not empty.
func (o *OpenOptions) grown() *OpenOptions {
	var grown OpenOptions
	if o != nil {
		grown = *o
	}
	grown.MinSize = max(grown.MinSize, 1)
	return &grown
}
