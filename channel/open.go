package channel

import (
	"fmt"

	"github.com/filemap-go/filemap/channel/internal/segment"
	"github.com/filemap-go/filemap/object"
)

// Security says which users besides its creator may use a channel: see
// [object.Security].
type Security = object.Security

// wanted is what options ask of a channel that exists, besides its kind.
type wanted struct {
	exact    bool  // it must have the capacity, or number of leases, that was asked for
	messages *Type // nil if they have none, or any
}

// openSegment creates a channel or opens it, which then is as wanted.
func openSegment(s segment.Spec, way segment.Way, w wanted) (seg *segment.Segment, created bool, err error) {
	if err := w.messages.usable(); err != nil {
		return nil, false, err
	}
	s.Type = w.messages.words()
	s.Check = func(there segment.Preamble) error {
		if err := w.messages.matches(there.Type); err != nil || way != segment.OpenOrCreate {
			return err
		}
		return w.expect(s, there)
	}
	return segment.Make(s, way)
}

// expect returns an object.ErrExist if a channel is not like the one that was asked
// for.
func (w wanted) expect(spec segment.Spec, p segment.Preamble) error {
	switch {
	case p.Kind == segment.Latest && uint32(p.Option) != uint32(spec.Option):
		return differs(p, "a size of %d bytes", uint32(p.Option), uint32(spec.Option))
	case p.Kind == segment.Latest && w.exact && p.Option != spec.Option:
		return differs(p, "%d leases", p.Option>>32, spec.Option>>32)
	case p.Kind != segment.Latest && w.exact && p.Capacity != uint64(spec.Capacity):
		return differs(p, "a capacity of %d bytes", p.Capacity, spec.Capacity)
	case p.Kind == segment.Topic && spec.Option != 0 && p.Option != spec.Option:
		return differs(p, "the Overflow %v", Block, Overwrite)
	}
	return nil
}

func differs(p segment.Preamble, format string, has, asked any) error {
	return object.Explain(object.ErrExist, fmt.Sprintf(
		"the %v exists with "+format+", and was asked for with "+format, p.Kind, has, asked))
}
