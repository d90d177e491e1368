package waitable

import (
	"context"

	"github.com/filemap-go/filemap/object"
)

// condition is an object of another package.
type condition struct {
	name  string
	kind  object.Kind
	isSo  func(context.Context) (bool, error)
	until func(context.Context) error
}

// NewCondition returns an object that is signaled while ready reports true, for
// packages with something to wait for, such as a job's end. await waits until then,
// or returns an error that wraps context.Cause(ctx) when that ends. Taking the
// object changes nothing. Any goroutine may call both functions.
func NewCondition(
	name string, kind object.Kind,
	ready func(context.Context) (bool, error), await func(context.Context) error,
) Object {
	return condition{name, kind, ready, await}
}

func (c condition) Name() string                            { return c.name }
func (c condition) Kind() object.Kind                       { return c.kind }
func (c condition) waitable() *handle                       { return nil }
func (c condition) conditional() conditional                { return c }
func (c condition) ready(ctx context.Context) (bool, error) { return c.isSo(ctx) }
func (c condition) await(ctx context.Context) error         { return c.until(ctx) }
